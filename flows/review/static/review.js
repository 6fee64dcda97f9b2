// Keys: j and k go from write to write, r and x judge the one in focus, f goes to the filter, n and p turn pages.
// A page that nobody uses goes: what it shows is not for who passes by.
"use strict";

const writes = () => Array.from(document.querySelectorAll("article.write"));
const here = () => document.activeElement && document.activeElement.closest("article.write");
const press = (selector) => document.querySelector(selector)?.click();

function go(step) {
  const all = writes();
  const at = all.indexOf(here());
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
  if (next) next.focus();
}

function judge(verdict) {
  here()?.querySelector(`button[value="${verdict}"]`)?.click();
}

const keys = {
  j: () => go(1),
  k: () => go(-1),
  r: () => judge("right"),
  x: () => judge("wrong"),
  f: () => document.querySelector(".filter select")?.focus(),
  n: () => press('a[rel="next"]'),
  p: () => press('a[rel="prev"]'),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  const off = document.body.dataset.keys !== "on";
  if (off || typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

const idle = Number(document.body.dataset.idle) * 1000;
const soon = document.querySelector("#soon");
const minute = 60000;
let used = Date.now(); // when the server was last told so, as far as this page did
let timers = [];

// The page goes when the session ends: both count from what the server was told last.
function wait() {
  timers.forEach(clearTimeout);
  soon.textContent = "";
  timers = [
    setTimeout(() => {
      soon.textContent = "Nobody has used this page for a while: it closes in a minute. Press a key to go on.";
    }, idle - minute),
    setTimeout(() => location.replace("/idle"), idle),
  ];
}

// Who types or reads uses the page. The server is told at most once a minute, and may say that it is over.
function use() {
  if (Date.now() - used < minute) return;
  used = Date.now();
  wait();
  fetch("/used", { method: "POST" }).then((answer) => {
    if (!answer.ok) location.replace("/idle");
  }, () => {});
}

if (idle && soon) {
  wait();
  for (const what of ["keydown", "pointerdown", "wheel"]) document.addEventListener(what, use, { passive: true });
}

if (location.hash) document.querySelector(location.hash.replace(/[^#\w-]/g, ""))?.focus();
