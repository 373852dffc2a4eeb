import { AppError, type ErrorCode } from "./errors.ts";

/** A peer as it is named in a sentence: `"host:port"`. */
export function peerName(host: string, port: number): string {
  return `"${host.includes(":") ? `[${host}]` : host}:${port}"`;
}

/**
 * What an error of a socket, of TLS or of name resolution means, whether the runtime or Node's modules made it;
 * undefined where it is none of these. `peer` is a {@linkcode peerName}.
 */
export function networkError(cause: unknown, peer: string): AppError | undefined {
  if (cause instanceof AppError) return cause;
  const { text, code } = told(cause);
  for (const [pattern, kind, sentence, hint] of KINDS) {
    if (!pattern.test(code) && !pattern.test(text)) continue;
    return new AppError(kind, sentence.replace("PEER", peer), { cause, ...(hint ? { hint } : {}) });
  }
  return undefined;
}

const VOUCH = 'if your company signs its own certificates, name its authority: "ca: /path/to/authority.pem"';
const SPEAKS = "check the port, and whether the address begins with http:// or https://";

/** First match wins; tried on the code and on the text. */
const KINDS: readonly (readonly [RegExp, ErrorCode, string, string?])[] = [
  [
    /CERT_HAS_EXPIRED|certificate.*expired|: Expired|NotValidYet/,
    "misconfigured",
    "the certificate of PEER has expired or is not valid yet",
    "check the clock of this machine, then the certificate of the server",
  ],
  [
    /ALTNAME|not valid for name|NotValidForName/i,
    "misconfigured",
    "the certificate of PEER is for another name",
    "check the address: somebody else may be answering there",
  ],
  [
    /UnknownIssuer|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED|self.signed|BadSignature|CaUsedAsEndEntity/,
    "misconfigured",
    "nobody trusted vouches for the certificate of PEER",
    VOUCH,
  ],
  [/invalid peer certificate|ERR_TLS_CERT/, "misconfigured", "the certificate of PEER is not valid", VOUCH],
  [
    /InvalidContentType|WRONG_VERSION_NUMBER|corrupt message/,
    "misconfigured",
    "PEER does not speak TLS",
    SPEAKS,
  ],
  [/HandshakeFailure|ProtocolVersion|HANDSHAKE/, "misconfigured", "PEER and we find no common kind of TLS"],
  [
    /ENOTFOUND|EAI_|failed to lookup|Name or service not known|No such host|nodename nor servname/i,
    "transient",
    "the address of PEER cannot be found",
    "check the name, and whether this machine can resolve names",
  ],
  [/ECONNREFUSED|Connection refused|actively refused/i, "transient", "cannot reach PEER: connection refused"],
  [/ECONNRESET|Connection reset|forcibly closed/i, "transient", "PEER broke off the connection"],
  [/EPIPE|Broken pipe|ECONNABORTED|connection aborted/i, "transient", "PEER closed the connection"],
  [/UnexpectedEof|unexpected eof|close_notify/i, "transient", "PEER broke off the connection"],
  [/ETIMEDOUT|timed? ?out/i, "transient", "PEER does not answer"],
  [/EHOSTUNREACH|ENETUNREACH|ENETDOWN|unreachable/i, "transient", "cannot reach PEER: there is no way to it"],
  [/NotCapable|Requires net access/, "denied", "this program was started without permission to reach PEER"],
];

/** The words and the codes of an error and of what caused it. */
function told(error: unknown): { text: string; code: string } {
  const texts: string[] = [], codes: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    texts.push(at.name, at.message);
    if ("code" in at && typeof at.code === "string") codes.push(at.code);
  }
  return { text: texts.join(" "), code: codes.join(" ") };
}
