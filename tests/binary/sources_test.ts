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

Deno.test("the binary backs up through op", () =>
  through(async (place, stack) => {
    const service = stack.use(await startService(steadyAccount()));
    await Deno.mkdir(place.at("op"));
    const token = service.token();
    const op = stack.use(
      await startFakeOp({ account: service.account, folder: place.at("op"), tokens: [token] }),
    );
    return { type: "onepassword-cli", program: op.path, token: place.secret("op-token", token) };
  }));
