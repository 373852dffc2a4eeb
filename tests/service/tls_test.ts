import assert from "node:assert/strict";
import { join } from "node:path";
import { startService } from "./mod.ts";

Deno.test("with a certificate the service speaks HTTPS", async (test) => {
  const directory = await Deno.makeTempDir();
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const made = await new Deno.Command("openssl", {
    args: [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
      ],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
    ],
  }).output().catch(() => undefined);
  await test.step({
    name: "fetch trusts it through its authority",
    fn: async () => {
      assert.ok(made?.success, "openssl could not make a certificate: apt-get install openssl");
      const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
      await using service = await startService({ name: "Acme", vaults: [] }, { tls });
      assert.match(service.url, /^https:\/\/127\.0\.0\.1:\d+$/);
      using client = Deno.createHttpClient({ caCerts: [tls.cert] });
      const response = await fetch(service.url + "/api/v1/vaults", { client });
      assert.equal(response.status, 401);
      await response.body?.cancel();
    },
  });
  await Deno.remove(directory, { recursive: true });
});
