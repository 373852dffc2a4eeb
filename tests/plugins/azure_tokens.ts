/** Places for tokens, and an environment without any. */
import { Buffer } from "node:buffer";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

/** A place for tokens on this machine, as virtual machines have one, or far away. */
export async function startTokens(handle: http.RequestListener, tls?: { cert: string; key: string }) {
  const asked: string[] = [];
  const listen: http.RequestListener = (request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    if (!request.url?.includes("/.well-known/")) return handle(request, answer);
    const base = `https://${request.headers.host}/tenant`;
    json(answer, 200, {
      ...{ issuer: base, token_endpoint: `${base}/oauth2/v2.0/token`, jwks_uri: `${base}/keys` },
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    });
  };
  const server = tls ? https.createServer(tls, listen) : http.createServer(listen);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    url: `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Runs `test` with these variables and nothing else that Azure's library would look at. */
export async function withEnvironment(set: Record<string, string>, test: () => Promise<void>): Promise<void> {
  const ours = /^(AZURE_|IDENTITY_|MSI_|IMDS_)/;
  const before = Object.entries(Deno.env.toObject()).filter(([name]) => ours.test(name));
  const clear = () => {
    for (const name of Object.keys(Deno.env.toObject())) if (ours.test(name)) Deno.env.delete(name);
  };
  try {
    clear();
    for (const [name, value] of Object.entries(set)) Deno.env.set(name, value);
    await test();
  } finally {
    clear();
    for (const [name, value] of before) Deno.env.set(name, value);
  }
}

/** Answers with a value. */
export const json = (answer: http.ServerResponse, status: number, value: unknown) =>
  void answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

/** A token as Azurite reads it: it looks at whose and for what it is, not at who has signed it. */
export function accessToken(seconds = 3600): string {
  const now = Math.floor(Date.now() / 1000), tenant = "ab1f708d-50f6-404c-a006-d71b2ac7a606";
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const issuer = `https://sts.windows.net/${tenant}/`;
  const claims = {
    aud: "https://storage.azure.com",
    iss: issuer,
    tid: tenant,
    nbf: now - 60,
    iat: now - 60,
    exp: now + seconds,
  };
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${Buffer.alloc(32, 5).toString("base64url")}`;
}
