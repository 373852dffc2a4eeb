/** Whose server it is: what a list of known hosts says, alone and against a real server. */
import assert from "node:assert/strict";
import { fromBase64 } from "../../src/base/bytes.ts";
import {
  judge,
  parseKnownHosts,
  typesFor,
  type Verdict,
} from "../../plugins/destinations/sftp/hosts/known_hosts.ts";
import { keygen } from "../servers/openssh/server.ts";
import { Scratch } from "../base/scratch.ts";
import { Box, getsIn, stock } from "./sftp_box.ts";

const OURS = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINu6iMAwvMHvPImq0jxs6AZyrS+gi0WyZCCXms0XF39Y";
const OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB5E3RMk9gSIkGV5a/WQmlqosOxQRAz5dm7ZLyX1oDk8";
const key = fromBase64(OURS.split(" ")[1]!, "the key");

function verdict(text: string, host = "nas.example", port = 22): Verdict {
  return judge(parseKnownHosts(text, (line) => assert.fail(`not understood: ${line}`)), host, port, key);
}

Deno.test("known hosts: names, patterns, ports and markers", () => {
  const cases: [lines: string, expected: Verdict, host?: string, port?: number][] = [
    ["", "unknown"],
    ["# a comment\n\n   \t", "unknown"],
    [`nas.example ${OURS}`, "known"],
    [`nas.example ${OURS} with a comment\r\n`, "known"],
    [`NAS.Example ${OURS}`, "known", "nas.EXAMPLE"],
    [`other.example ${OURS}`, "unknown"],
    [`nas.example.org ${OURS}`, "unknown"],
    [`nasXexample ${OURS}`, "unknown"],
    [`nas.example ${OTHER}`, "changed"],
    [`nas.example ${OTHER}\nnas.example ${OURS}`, "known"],
    [`a,nas.example,10.0.0.1 ${OURS}`, "known"],
    [`*.example ${OURS}`, "known"],
    [`nas.exampl? ${OURS}`, "known"],
    [`nas.exampl?? ${OURS}`, "unknown"],
    [`* ${OURS}`, "known"],
    [`*.example,!nas.example ${OURS}`, "unknown"],
    [`!nas.example,*.example ${OURS}`, "unknown"],
    [`!nas.example ${OURS}`, "unknown", "other.example"],
    [`[nas.example]:2222 ${OURS}`, "known", "nas.example", 2222],
    [`[nas.example]:2222 ${OURS}`, "unknown", "nas.example", 2223],
    [`[nas.example]:2222 ${OURS}`, "unknown", "nas.example", 22],
    [`[*.example]:2222 ${OURS}`, "known", "nas.example", 2222],
    // The host as such, as ssh(1) does it; a line about the port itself goes first.
    [`nas.example ${OURS}`, "known", "nas.example", 2222],
    [`nas.example ${OURS}\n[nas.example]:2222 ${OTHER}`, "changed", "nas.example", 2222],
    [`::1 ${OURS}`, "known", "::1"],
    [`[::1]:2222 ${OURS}`, "known", "::1", 2222],
    [`@revoked nas.example ${OURS}\nnas.example ${OURS}`, "revoked"],
    [`@revoked * ${OURS}\n[nas.example]:2222 ${OURS}`, "revoked", "nas.example", 2222],
    [`@revoked nas.example ${OURS}\n[nas.example]:2222 ${OURS}`, "revoked", "nas.example", 2222],
    [`@revoked * ${OTHER}\nnas.example ${OURS}`, "known"],
    [`@revoked other.example ${OURS}\nnas.example ${OURS}`, "known"],
    [`@cert-authority *.example ${OURS}`, "authority"],
    [`@cert-authority *.example ${OTHER}\nnas.example ${OURS}`, "known"],
    [`@cert-authority *.org ${OURS}`, "unknown"],
  ];
  for (const [lines, expected, host, port] of cases) {
    assert.equal(verdict(lines, host, port), expected, lines);
  }
});

Deno.test("known hosts: what is no line of a key is told", () => {
  const bad = [
    "nas.example",
    "nas.example ssh-ed25519",
    "nas.example ssh-ed25519 !!!!",
    `nas.example ssh-rsa ${OURS.split(" ")[1]}`,
    `@trusted nas.example ${OURS}`,
    "nas.example 2048 65537 12345",
    "nas.example ssh-ed25519 AAAA",
  ];
  for (const line of bad) {
    const misread: string[] = [];
    assert.deepEqual(parseKnownHosts(line, (line) => misread.push(line)), [], line);
    assert.deepEqual(misread, [line]);
  }
});

Deno.test("known hosts: names that ssh-keygen -H has hashed", async () => {
  await using scratch = await Scratch.make();
  const path = await scratch.write("known_hosts", `nas.example ${OURS}\n[nas.example]:2222 ${OTHER}\n`);
  await stock("ssh-keygen", "-q", "-H", "-f", path);
  const text = await scratch.read("known_hosts");
  assert.doesNotMatch(text, /nas/);
  assert.equal(verdict(text), "known");
  assert.equal(verdict(text, "nas.example", 2222), "changed");
  assert.equal(verdict(text, "other.example"), "unknown");
  assert.deepEqual(typesFor(parseKnownHosts(text, () => {}), "nas.example", 22), ["ssh-ed25519"]);
});

Deno.test("known hosts: only the right server is spoken to", async (test) => {
  await using box = await Box.start({ hostKeys: ["ed25519", "rsa", "ecdsa"] });
  await using scratch = await Scratch.make();
  const { server } = box;
  const name = `[127.0.0.1]:${server.port}`;
  const stranger = (await keygen(scratch.file("stranger"), "ed25519")).split(" ").slice(0, 2).join(" ");
  const fingerprint = (await stock("ssh-keygen", "-lf", `${server.folder}/host_ed25519.pub`)).split(" ")[1]!;
  const open = (knownHosts: unknown) => box.open({ knownHosts });

  await test.step("an unknown one: the fingerprint and the line to add, which then works", async () => {
    const file = await scratch.write("empty", "");
    const error = await box.fails(
      getsIn(await open(file)),
      "misconfigured",
      /is not in ".*empty", so nothing tells/,
    );
    assert.ok(error.message.includes(fingerprint), error.message);
    const line = /add this line: (.*)$/.exec(error.hint!)![1]!;
    assert.equal(line, server.knownHost());
    await Deno.writeTextFile(file, `${line}\n`);
    await getsIn(await open(file));
  });

  await test.step("one that has another key than it had", async () => {
    await box.fails(
      getsIn(await open(`${name} ${stranger}`)),
      "misconfigured",
      /has another key than "knownHosts" knows: somebody else may be answering there/,
      /nothing was sent/,
    );
  });

  await test.step("one whose key is revoked", async () => {
    const lines = [server.knownHost(), `@revoked * ${server.hostKey()}`];
    await box.fails(getsIn(await open(lines)), "misconfigured", /says that the key of ".*" is revoked/);
  });

  await test.step("one that an authority vouches for", async () => {
    await box.fails(
      getsIn(await open(`@cert-authority * ${stranger}`)),
      "misconfigured",
      /by a @cert-authority only, which is not supported/,
    );
  });

  await test.step("one that has several keys shows the one that is known", async () => {
    for (const type of ["ed25519", "rsa", "ecdsa"] as const) {
      await getsIn(await open(server.knownHost(server.port, type)));
    }
  });

  await test.step("one whose name is hashed", async () => {
    const file = await scratch.write("hashed", `${server.knownHost()}\n`);
    await stock("ssh-keygen", "-q", "-H", "-f", file);
    await getsIn(await open(file));
  });

  await test.step("what ssh-keyscan prints", async () => {
    await getsIn(await open(await stock("ssh-keyscan", "-p", `${server.port}`, "127.0.0.1")));
  });

  await test.step("a file that is not there, and lines that are none", async () => {
    await box.fails(open("/nonexistent/known_hosts"), "misconfigured", /which does not exist/, /ssh-keyscan/);
    await box.fails(open("nas.example ssh-ed25519"), "misconfigured", /is no line of a known_hosts file/);
    const odd = await scratch.write("odd", `this is nothing\n@revoked this neither\n${server.knownHost()}\n`);
    await box.fails(open(odd), "misconfigured", /holds "@revoked this neither"/);
    const mixed = await scratch.write("mixed", `this is nothing\n${server.knownHost()}\n`);
    await getsIn(await open(mixed));
  });
});
