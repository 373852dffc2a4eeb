/** Cases in which a call fails: what was lost is said, and nothing else is. */
import { seededId, smallAccount, TARGET } from "./account.ts";
import { check, given, never, same, type SourceCase } from "./bench.ts";
import { type Call, CALLS, type FaultName } from "./door.ts";
import { gaps, lostFile, told } from "./losses.ts";

const KINDS = ["refused", "unreachable", "quota", "garbage", "blank", "cut"] as const;
type Kind = typeof KINDS[number];

export const faultCases: readonly SourceCase[] = [
  ...CALLS.flatMap((call) => KINDS.map((kind) => failing(call, kind))),

  given("a sign-in that was refused is never tried again", smallAccount, [
    "sign-in refused",
    "sign-ins counted",
  ], async (bench) => {
    await bench.fault("sign-in refused");
    const source = await bench.open().catch((error) => void bench.mustBe(error, ["denied"], "the sign-in"));
    for (let times = 0; source && times < 3; times++) {
      await bench.refused(source.vaults(never), ["denied"], "a call after the refusal");
    }
    same(bench.harness.counted().signIns, 1, "attempts to sign in");
  }),

  given("a token that is revoked meanwhile is shown once more, and never again", smallAccount, [
    "sign-in refused",
    "sign-ins counted",
    "revocation",
  ], async (bench) => {
    const source = await bench.open();
    const vault = await bench.vault(source);
    const { signIns } = bench.harness.counted();
    await bench.fault("sign-in refused");
    for (let times = 0; times < 3; times++) {
      await bench.refused(source.vaults(never), ["denied"], "a call after the token was revoked");
    }
    bench.mustBe((await bench.walk(source, vault)).error, ["denied"], "a walk after the token was revoked");
    const more = bench.harness.counted().signIns - signIns;
    check(more <= 1, `a revoked token was shown ${more} times`);
  }),

  given(
    "a vault that cannot be listed does not cost the next one",
    smallAccount,
    ["list garbage"],
    async (bench) => {
      await bench.fault("list garbage");
      const source = await bench.open();
      told(bench, await bench.reach("list"));
      const second = await bench.walkWhole(source, await bench.vault(source, seededId("second")));
      same([[...second.items.keys()], second.shortfalls], [[seededId("four")], []], "the second vault");
    },
  ),

  ...(["vaults", "list", "items", "file"] as const).map((call) =>
    given(`the call "${call}" is made again when 1Password could not be reached once`, smallAccount, [
      `${call} unreachable`,
      "retries",
    ], async (bench) => {
      const fault = await bench.fault(`${call} unreachable`, { times: 1 });
      const { error, vaults, walked, item, body } = await bench.reach(call);
      if (error !== undefined) throw error;
      same(fault.strikes(), 1, "how often it could not be reached");
      same(vaults?.length, 2, "the vaults");
      if (walked) {
        same(
          [walked.items.size, gaps(walked.shortfalls)],
          [bench.shown(TARGET.vaultId).length, []],
          "the walk",
        );
      }
      if (item) same(body?.length, item.files[0]?.size, "the body");
    })
  ),
];

/** A call that fails for good, and what may become of it. */
function failing(call: Call, kind: Kind): SourceCase {
  const name: FaultName = `${call} ${kind}`;
  return given(
    `the call "${call}" fails (${kind}): an error or a gap, and never less`,
    smallAccount,
    [name],
    async (bench) => {
      const fault = await bench.fault(name);
      const reached = await bench.reach(call);
      check(fault.strikes() > 0, "the fault never struck");
      const codes = CODES[kind];
      if (call === "file") return lostFile(bench, reached, codes);
      // Some doors lose one item where others lose the vault; with the quota gone nothing more can be had.
      const partly = (call === "list" || call === "items") && kind !== "quota";
      if (partly && reached.error === undefined) told(bench, reached);
      else bench.mustBe(reached.error, codes, `the call "${call}"`);
      check(
        reached.error === undefined || reached.walked === undefined || call !== "list" ||
          reached.walked.items.size === 0,
        "items came of a list that failed",
      );
    },
  );
}

const CODES: Record<Kind, string[]> = {
  refused: ["denied"],
  unreachable: ["transient"],
  quota: ["quota"],
  // What went wrong is a guess here; that something did is not.
  garbage: ["corrupt", "denied", "misconfigured", "transient", "unknown", "unsupported"],
  blank: ["corrupt", "denied", "misconfigured", "transient", "unknown", "unsupported"],
  cut: ["corrupt", "denied", "misconfigured", "transient", "unknown", "unsupported"],
};
