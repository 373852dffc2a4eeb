/** Who may sign in at a real server, and with what. */
import assert from "node:assert/strict";
import { Scratch } from "../base/scratch.ts";
import { asFerry, FERRY } from "../servers/openssh/other_user.ts";
import { keygen, type KeyType } from "../servers/openssh/server.ts";
import { Secret } from "../../src/base/secret.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { sftp } from "../../plugins/destinations/sftp/mod.ts";
import { Box, getsIn } from "./sftp_box.ts";

Deno.test("private keys", async (test) => {
  await using box = await Box.start();
  await using scratch = await Scratch.make();
  const { server, secrets } = box;
  secrets.PASSPHRASE = "made-up passphrase/0123";
  secrets.WRONG = "another made-up passphrase";

  for (
    const [type, ...how] of [
      ["ed25519"],
      ["rsa", "-b", "2048"],
      ["rsa", "-b", "2048", "-m", "PEM"],
      ["rsa", "-b", "2048", "-m", "PKCS8"],
      ["ecdsa"],
      ["ecdsa", "-m", "PEM"],
      ["ecdsa", "-b", "521"],
    ] as [KeyType, ...string[]][]
  ) {
    await test.step(`${[type, ...how].join(" ")}, in clear and encrypted`, async () => {
      const plain = scratch.file(`plain${how.join("")}${type}`),
        sealed = scratch.file(`sealed${how.join("")}${type}`);
      await server.authorize(await keygen(plain, type, "", ...how));
      await server.authorize(await keygen(sealed, type, secrets.PASSPHRASE, ...how));
      secrets.PLAIN = Deno.readTextFileSync(plain);
      secrets.SEALED = Deno.readTextFileSync(sealed);
      await getsIn(await box.open({ privateKey: "env:PLAIN" }));
      await getsIn(await box.open({ privateKey: "env:SEALED", passphrase: "env:PASSPHRASE" }));
      await box.fails(
        box.open({ privateKey: "env:SEALED" }),
        "misconfigured",
        /is encrypted/,
        /"passphrase"/,
      );
      await box.fails(
        box.open({ privateKey: "env:SEALED", passphrase: "env:WRONG" }),
        "misconfigured",
        /the passphrase does not fit the private key/,
      );
    });
  }

  await test.step("ECDSA keys whose number is longer or shorter than their curve's", async () => {
    const { parsePrivateKey } = await import("../../plugins/destinations/sftp/ssh/private_key.ts");
    for (const bits of ["256", "384", "521"]) {
      for (let at = 0; at < 6; at++) {
        await keygen(scratch.file(`number-${bits}-${at}`), "ecdsa", "", "-b", bits);
        const key = parsePrivateKey(
          new Secret(Deno.readTextFileSync(scratch.file(`number-${bits}-${at}`))),
          undefined,
        );
        const signature = key.sign(new Uint8Array(10));
        assert.ok(!(signature instanceof Error) && signature.length > 60, `${signature}`);
      }
    }
  });

  await test.step("one that the server does not know", async () => {
    await keygen(scratch.file("stranger"), "ed25519");
    secrets.STRANGER = Deno.readTextFileSync(scratch.file("stranger"));
    await box.fails(
      getsIn(await box.open({ privateKey: "env:STRANGER" })),
      "denied",
      /does not let ".*" in with these credentials/,
      /authorized_keys on the server; it takes: publickey$/,
    );
  });

  await test.step("a user that the server does not know", async () => {
    await box.fails(
      getsIn(await box.open({ username: "nobody-there" })),
      "denied",
      /does not let "nobody-there" in/,
    );
  });

  await test.step("what is no private key", async () => {
    secrets.PUBLIC = Deno.readTextFileSync(`${server.folder}/key.pub`);
    secrets.NONSENSE = "this is nothing but a sentence";
    secrets.CUT = server.key().slice(0, 200);
    secrets.NOTHING = "";
    await box.fails(
      box.open({ privateKey: "env:PUBLIC" }),
      "misconfigured",
      /is a public key/,
      /without \.pub/,
    );
    await box.fails(
      box.open({ privateKey: "env:NONSENSE" }),
      "misconfigured",
      /no private key that can be used/,
    );
    await box.fails(box.open({ privateKey: "env:CUT" }), "misconfigured", /no private key that can be used/);
    await box.fails(box.open({ privateKey: "env:NOTHING" }), "misconfigured", /the private key is empty/);
  });
});

Deno.test("an agent", async (test) => {
  await using box = await Box.start();
  await using scratch = await Scratch.make();
  const socket = scratch.file("agent");
  const agent = new Deno.Command("ssh-agent", { args: ["-D", "-a", socket], stdout: "null", stderr: "null" })
    .spawn();
  try {
    while (!scratch.names().includes("agent")) await new Promise((resolve) => setTimeout(resolve, 20));
    const add = async (...args: string[]) => {
      const { success } = await new Deno.Command("ssh-add", {
        args: ["-q", ...args],
        env: { SSH_AUTH_SOCK: socket },
        stderr: "null",
      }).output();
      assert.ok(success);
    };
    const open = (agent: true | string, env?: string) =>
      box.open({ privateKey: undefined, agent }, {
        env: (name) => name === "SSH_AUTH_SOCK" ? env : undefined,
      });

    await test.step("that holds nothing", async () => {
      await box.fails(
        getsIn(await open(socket)),
        "misconfigured",
        /the agent at ".*" holds no key/,
        /ssh-add/,
      );
    });

    await test.step("that holds other keys, too", async () => {
      await keygen(scratch.file("other"), "rsa", "", "-b", "2048");
      await add(scratch.file("other"));
      await box.fails(getsIn(await open(socket)), "denied", /does not let/);
      await add(`${box.server.folder}/key`);
      await getsIn(await open(socket));
      await getsIn(await open(true, socket));
      await add("-d", `${box.server.folder}/key`);
      await box.server.authorize(Deno.readTextFileSync(scratch.file("other.pub")));
      await getsIn(await open(true, socket));
    });

    await test.step("that is not there", async () => {
      await box.fails(open(true), "misconfigured", /SSH_AUTH_SOCK is not set/);
      await box.fails(getsIn(await open(scratch.file("none"))), "misconfigured", /the agent cannot be asked/);
      const platform = { ...denoWorld().platform, os: "windows" as const };
      const onWindows = box.open({ privateKey: undefined, agent: true }, { platform });
      await box.fails(onWindows, "misconfigured", /cannot be used on Windows/);
    });
  } finally {
    agent.kill();
    await agent.status;
  }
});

Deno.test("a password", async (test) => {
  for (
    const [method, config] of [
      ["password", ["PasswordAuthentication yes", "AuthenticationMethods password"]],
      ["keyboard-interactive", [
        "UsePAM yes",
        "KbdInteractiveAuthentication yes",
        "AuthenticationMethods keyboard-interactive",
      ]],
      ["publickey and password", ["PasswordAuthentication yes", "AuthenticationMethods publickey,password"]],
    ] as [string, string[]][]
  ) {
    await test.step(method, async () => {
      await using scratch = await Scratch.make();
      await using box = await Box.start({ ...await asFerry(scratch.path), config });
      box.secrets.PASSWORD = FERRY.password;
      box.secrets.WRONG = "another made-up password";
      const both = method.includes("publickey") ? {} : { privateKey: undefined };
      await getsIn(await box.open({ password: "env:PASSWORD", ...both }));
      await box.fails(
        getsIn(await box.open({ password: "env:WRONG", ...both })),
        "denied",
        /does not let "ferry" in with these credentials/,
      );
      await box.fails(getsIn(await box.open()), "denied", /does not let/, /it takes: /);
    });
  }
});

Deno.test("what the config asks for is refused where it makes no sense", () => {
  const base = { host: "nas.example", username: "u", path: "/srv", knownHosts: "/etc/ssh/ssh_known_hosts" };
  const key = { privateKey: "file:/etc/vaultferry/key" };
  const says = (settings: Record<string, unknown>, sentence: RegExp) => {
    const { success, error } = sftp.config.safeParse({ ...base, ...settings });
    assert.ok(!success, `taken: ${JSON.stringify(settings)}`);
    assert.match(error.issues.map(({ message }) => message).join("; "), sentence);
  };
  assert.equal(sftp.config.parse({ ...base, ...key }).port, 22);
  for (const agent of [true, "/run/agent"]) sftp.config.parse({ ...base, agent });
  for (const host of ["10.0.0.1", "::1", "fe80::1%eth0", "nas", "a_b.example."]) {
    sftp.config.parse({ ...base, ...key, host });
  }
  for (const path of ["/", "/srv", "backups", "backups/x/", "./backups"]) {
    sftp.config.parse({ ...base, ...key, path });
  }
  says({}, /give a privateKey, an agent or a password/);
  says({ agent: false }, /./);
  says({ agent: "relative" }, /must be true or an absolute path/);
  says({ ...key, access: "create-only" }, /cannot be "create-only" over SFTP/);
  says({ password: "env:X", passphrase: "env:X" }, /belongs to a privateKey/);
  says({ ...key, knownHosts: undefined }, /./);
  says({ ...key, knownHosts: "known_hosts" }, /must be the absolute path of a known_hosts file/);
  says({ ...key, knownHosts: "" }, /must be the absolute path/);
  says({ ...key, proxy: "http://proxy:3128" }, /./);
  says({ privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----" }, /is not a reference to a secret/);
  for (const host of ["sftp://nas", "u@nas", "nas:22", "[::1]", "-oProxyCommand=x", "", "a b"]) {
    says({ ...key, host }, /alone, without sftp:/);
  }
  for (const path of ["~/backups", "a/../b", "..", "", "a\nb"]) says({ ...key, path }, /./);
  for (const port of [0, 65_536, 1.5, "22"]) says({ ...key, port }, /./);
  says({ ...key, username: "" }, /./);
});
