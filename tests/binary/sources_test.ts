/** The doors of the binary other than the SDK, which the other tests go through. */
import assert from "node:assert/strict";
import { writeExport } from "../onepux/export_writer.ts";
import { sampleExport } from "../onepux/sample.ts";
import { ConnectServer } from "../service/connect/mod.ts";
import { startService } from "../service/mod.ts";
import { startFakeOp } from "../service/op/mod.ts";
import { steadyAccount } from "./account.ts";
import { binary } from "./binary.ts";
import { Place, run } from "./place.ts";

/** Backs up, verifies and restores through another door. */
async function through(
  source: (place: Place, stack: AsyncDisposableStack) => Promise<Record<string, unknown>>,
): Promise<void> {
  const vaultferry = await binary();
  await using stack = new AsyncDisposableStack();
  await using place = await Place.make("");
  await place.from(await source(place, stack));
  const env = { PATH: Deno.env.get("PATH") ?? "", TMPDIR: place.folder };
  const restored = await place.roundTrip((args) => run(vaultferry, args, { cwd: "/", env }));
  const { counts } = JSON.parse(await Deno.readTextFile(`${restored}/manifest.json`));
  assert.ok(counts.items >= 5 && counts.files > 0, JSON.stringify(counts));
}

Deno.test("the binary backs up an export of the 1Password app", () =>
  through(async (place) => {
    await Deno.writeFile(place.at("export.1pux"), writeExport(sampleExport()));
    return { type: "onepux", path: place.at("export.1pux") };
  }));

Deno.test("the binary backs up through 1Password Connect", () =>
  through(async (place, stack) => {
    const service = stack.use(await startService(steadyAccount()));
    const connect = stack.use(ConnectServer.start(service.account));
    return {
      type: "onepassword-connect",
      url: connect.url,
      token: place.secret("connect-token", connect.accepted!),
    };
  }));

/** An `op` for the account of the sample. */
async function opIn(place: Place, stack: AsyncDisposableStack) {
  const service = stack.use(await startService(steadyAccount()));
  await Deno.mkdir(place.at("op"));
  const token = service.token();
  const op = stack.use(
    await startFakeOp({ account: service.account, folder: place.at("op"), tokens: [token] }),
  );
  return { type: "onepassword-cli", program: op.path, token: place.secret("op-token", token) };
}

Deno.test("the binary backs up through op", () => through(opIn));

Deno.test("the binary has op write files into memory where what op prints is damaged on the way", () =>
  through(async (place, stack) => {
    const source = await opIn(place, stack);
    const script = `#!/bin/sh
for word in "$@"; do [ "$word" = --out-file ] && exec ${source.program} "$@"; done
case "$1 $2" in
  "document get" | read*) ${source.program} "$@" | sed 's/./Q&/g' ;;
  *) exec ${source.program} "$@" ;;
esac
`;
    await Deno.writeTextFile(place.at("damaging-op"), script, { mode: 0o700 });
    return { ...source, program: place.at("damaging-op") };
  }));
