import { type AccountDescription, sampleAccount } from "../service/mod.ts";

/**
 * The sample account without one-time passwords: with these the SDK gives the present code, which is another one
 * half a minute later, and nothing that was backed up before could be compared.
 */
export function steadyAccount(): AccountDescription {
  const account = sampleAccount();
  const steady = <T extends { fields?: readonly { kind: string }[] }>(one: T): T =>
    one.fields ? { ...one, fields: one.fields.filter(({ kind }) => kind !== "Totp") } : one;
  return {
    ...account,
    vaults: account.vaults.map((vault) => ({
      ...vault,
      ...(vault.items
        ? {
          items: vault.items.map((item) => ({
            ...steady(item),
            ...(item.sections ? { sections: item.sections.map(steady) } : {}),
          })),
        }
        : {}),
    })),
  };
}
