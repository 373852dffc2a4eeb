import assert from "node:assert/strict";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";

/**
 * The AppError that `call` ends in; the test fails when it succeeds, throws anything else, or speaks in another
 * voice than errors.ts describes.
 */
export async function failure(
  call: Promise<unknown> | (() => unknown),
  code: ErrorCode | readonly ErrorCode[],
  sentence: RegExp = /./,
): Promise<AppError> {
  const error = await thrownBy(call);
  assert.ok(error instanceof AppError, `not an AppError: ${Deno.inspect(error)}`);
  assert.ok([code].flat().includes(error.code), `"${error.code}" instead of "${code}": ${error.message}`);
  assert.match(error.message, sentence);
  assert.doesNotMatch(error.message, /^[A-Z](?!SH\b|indows\b)|\.$|\n/, "not the voice of an error");
  return error;
}

async function thrownBy(call: Promise<unknown> | (() => unknown)): Promise<unknown> {
  let result: unknown;
  try {
    result = await (typeof call === "function" ? call() : call);
  } catch (error) {
    return error;
  }
  assert.fail(`it succeeded: ${Deno.inspect(result)}`);
}
