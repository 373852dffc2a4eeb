import assert from "node:assert/strict";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { networkError, peerName } from "../../src/base/network_errors.ts";
import { failure } from "./failure.ts";

/** An error as Node's modules make it. */
const node = (code: string, message = "made up") => Object.assign(new Error(message), { code });

Deno.test("what errors of sockets, of TLS and of names mean, from either kind of module", async () => {
  const cases: [ErrorCode, RegExp, unknown[]][] = [
    ["transient", /connection refused/, [
      node("ECONNREFUSED"),
      new Deno.errors.ConnectionRefused("Connection refused (os error 111)"),
    ]],
    ["transient", /broke off/, [
      node("ECONNRESET"),
      new Deno.errors.ConnectionReset("Connection reset by peer"),
    ]],
    ["transient", /closed the connection/, [node("EPIPE"), new Deno.errors.BrokenPipe("Broken pipe")]],
    ["transient", /does not answer/, [node("ETIMEDOUT"), new Deno.errors.TimedOut("Connection timed out")]],
    ["transient", /no way to it/, [node("EHOSTUNREACH"), node("ENETUNREACH")]],
    ["transient", /cannot be found/, [
      node("ENOTFOUND"),
      node("EAI_AGAIN"),
      new Error("failed to lookup address information: Name or service not known"),
    ]],
    ["misconfigured", /vouches/, [
      node("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
      node("DEPTH_ZERO_SELF_SIGNED_CERT"),
      new Deno.errors.InvalidData("invalid peer certificate: UnknownIssuer"),
    ]],
    ["misconfigured", /another name/, [
      node("ERR_TLS_CERT_ALTNAME_INVALID"),
      new Deno.errors.InvalidData('invalid peer certificate: certificate not valid for name "x"'),
    ]],
    ["misconfigured", /expired/, [
      node("CERT_HAS_EXPIRED"),
      new Deno.errors.InvalidData("invalid peer certificate: certificate expired: x"),
    ]],
    ["misconfigured", /does not speak TLS/, [
      node("ERR_SSL_WRONG_VERSION_NUMBER"),
      new Deno.errors.InvalidData("received corrupt message of type InvalidContentType"),
    ]],
  ];
  for (const [code, sentence, errors] of cases) {
    for (const error of errors) {
      const known = networkError(error, peerName("store.example", 443));
      assert.ok(known, String(error));
      await failure(Promise.reject(known), code, sentence);
      assert.match(known.message, /"store\.example:443"/);
      assert.ok(
        networkError(new TypeError("fetch failed", { cause: error }), '"x:1"'),
        "a cause is looked at",
      );
    }
  }
});

Deno.test("what is none of these is nobody's guess, and what is known stays", () => {
  assert.equal(networkError(new Error("boom"), '"x:1"'), undefined);
  assert.equal(networkError("ECONNRESET", '"x:1"'), undefined);
  const known = new AppError("denied", "no");
  assert.equal(networkError(known, '"x:1"'), known);
  assert.equal(peerName("::1", 22), '"[::1]:22"');
});
