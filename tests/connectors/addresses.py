"""Endpoints that must be refused: ways into the network that the process runs in, and other schemes."""

REFUSED = [
    "http://example.com", "https://user@example.com", "https://user:word@example.com", "https://@example.com",
    "https://example.com?x", "https://example.com?", "https://example.com/#", "https://example.com\\@127.0.0.1",
    "https://2130706433", "https://0177.0.0.1", "https://0x7f.0.0.1", "https://0x7f000001", "https://127.1",
    "https://0x7f.1", "https://127.0.0.2", "http://127.0.0.2", "https://0.0.0.0", "http://0", "https://0",
    "https://10.0.0.1", "https://192.168.1.1", "https://172.16.0.1", "https://100.64.0.1",
    "https://169.254.169.254", "http://169.254.169.254/latest/meta-data/", "https://100.100.100.200",
    "https://168.63.129.16", "https://192.0.0.192", "https://192.88.99.1", "https://198.18.0.1",
    "https://224.0.0.1", "https://240.0.0.1", "https://255.255.255.255",
    "https://[::]", "https://[::ffff:127.0.0.1]", "https://[::ffff:7f00:1]", "https://[::127.0.0.1]",
    "https://[0:0:0:0:0:ffff:a9fe:a9fe]", "https://[64:ff9b::a9fe:a9fe]", "https://[2002:7f00:1::]",
    "https://[2001:0:53aa:64c::]", "https://[fe80::1]", "https://[fe80::1%25eth0]", "https://[fd00:ec2::254]",
    "https://[fc00::1]", "https://[fec0::1]",
    "https://[ff02::1]", "https://localhost.", "https://foo.localhost", "https://metadata",
    "https://metadata.google.internal", "https://printer.local", "https://example.com:0",
    "https://example.com:99999", "https://example.com:x", "https://exa mple.com", "https://example.com\t",
    "https://exam\tple.com", "https://example.com\n", " https://example.com", "https://①②⑦.⓪.⓪.①",
    "https://127。0。0。1", "https://ex\u00admple.com", "https://%31%32%37.0.0.1", "https://example.com%2f@x",
    "https:///x", "https:example.com", "//example.com", "example.com", "file:///etc/passwd",
    "gopher://example.com", "ftp://127.0.0.1", "https://[::1", "https://1.1.1.1.", "https://-a.com",
    "https://a..b", "https://a_b.com", "https://", "", "https://" + "a" * 64 + ".com",
    "https://example.com/" + "a" * 2000,
]  # fmt: skip
ACCEPTED = [
    "https://api.hubapi.com", "https://example.com:8443/x/y", "https://8.8.8.8", "https://[2606:4700::1111]",
    "https://xn--bcher-kva.example", "https://[::ffff:8.8.8.8]", "https://a-b.c1.io/", "HTTPS://EXAMPLE.COM/A",
    "http://127.0.0.1:80/graphql", "http://localhost:1", "http://[::1]:2/", "https://127.0.0.1:1",
]  # fmt: skip
