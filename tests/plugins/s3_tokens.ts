/** A place where a workload of Amazon's exchanges its token for keys. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { MEMBER } from "./s3_place.ts";

/** A token service that answers in one way. */
export async function tokenService(status: number, body: string) {
  const asked: string[] = [];
  const server = http.createServer((request, answer) => {
    let text = "";
    request.on("data", (part) => text += part);
    request.on("end", () => {
      asked.push(text);
      answer.writeHead(status, { "content-type": "text/xml" }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Belongs to the keys of {@linkcode ASSUMED}. */
export const TOKEN = "made-up-session-token-0123456789";
/** The answer that gives them. */
export const ASSUMED = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>${MEMBER.accessKeyId}</AccessKeyId>
    <SecretAccessKey>${MEMBER.secretAccessKey}</SecretAccessKey>
    <SessionToken>${TOKEN}</SessionToken>
    <Expiration>2099-01-01T00:00:00Z</Expiration>
  </Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`;

/** The environment of a workload whose token is exchanged there. */
export const role = (sts: string) => (folder: string) => ({
  AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/backup",
  AWS_WEB_IDENTITY_TOKEN_FILE: `${folder}/token`,
  AWS_ENDPOINT_URL_STS: sts,
  AWS_REGION: "us-east-1",
});
