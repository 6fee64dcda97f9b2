// Keys: j and k go from write to write, r and x judge the one in focus, f goes to the filter.
"use strict";

const writes = () => Array.from(document.querySelectorAll("article.write"));
const here = () => document.activeElement && document.activeElement.closest("article.write");

function go(step) {
  const all = writes();
  const at = all.indexOf(here());
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
  if (next) next.focus();
}

function judge(verdict) {
  const one = here();
  const button = one && one.querySelector(`button[value="${verdict}"]`);
  if (button) button.click();
}

const keys = {
  j: () => go(1),
  k: () => go(-1),
  r: () => judge("right"),
  x: () => judge("wrong"),
  f: () => document.querySelector(".filter select")?.focus(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});

if (location.hash) document.querySelector(location.hash.replace(/[^#\w-]/g, ""))?.focus();
