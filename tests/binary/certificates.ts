import assert from "node:assert/strict";
import { join } from "node:path";

/** A private certificate authority and a server certificate from it, both PEM. */
export interface Certificates {
  /** Path of the authority's certificate. */
  authority: string;
  server: { cert: string; key: string };
}

/** Makes an authority as a company would have it, and a certificate for a name and 127.0.0.1. */
export async function makeCertificates(folder: string, name: string): Promise<Certificates> {
  const at = (file: string) => join(folder, file);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl([
    ...["req", "-x509", ...key, "-days", "2", "-subj", "/CN=Acme Private CA"],
    ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
    ...["-keyout", at("authority.key"), "-out", at("authority.pem")],
  ]);
  await openssl([
    "req",
    ...key,
    "-subj",
    `/CN=${name}`,
    "-keyout",
    at("server.key"),
    "-out",
    at("server.csr"),
  ]);
  await Deno.writeTextFile(
    at("server.ext"),
    `subjectAltName=DNS:${name},IP:127.0.0.1\nbasicConstraints=CA:FALSE\n`,
  );
  await openssl([
    ...["x509", "-req", "-in", at("server.csr"), "-CA", at("authority.pem"), "-CAkey", at("authority.key")],
    ...["-CAcreateserial", "-days", "2", "-extfile", at("server.ext"), "-out", at("server.pem")],
  ]);
  return {
    authority: at("authority.pem"),
    server: {
      cert: await Deno.readTextFile(at("server.pem")),
      key: await Deno.readTextFile(at("server.key")),
    },
  };
}

async function openssl(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args }).output();
  assert(success, `openssl: ${new TextDecoder().decode(stderr)}`);
}
