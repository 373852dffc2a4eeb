import { derivedId } from "../wire/ids.ts";
import type { LiveAccount } from "../account/live_account.ts";
import type { Handler } from "./call.ts";
import { refusal, sealed } from "./reply.ts";

/** GET account/keysets: the keys behind the token, encrypted by it. */
export const getKeysets: Handler = ({ account }) =>
  sealed({ version: 1, keysets: account.credentials.keysets });

/** GET account: asked for before a vault is created. */
export const getAccount: Handler = ({ account }) => sealed(account.record());

/** GET vaults: every vault that the token can see. */
export const listVaults: Handler = ({ account }) => sealed(account.vaults.map((vault) => vault.record()));

/** GET vault: its key, and the content version that a write must name. */
export const getVault: Handler = ({ account, vaultId = "" }) => {
  const vault = account.find(vaultId);
  return vault ? sealed(vault.record()) : refusal(404);
};

/** GET vault/preflight/create: who else must get the key of a new vault. */
export const preflightVault: Handler = ({ account }) =>
  sealed({
    mandatoryGroupUuids: [recoveryGroupId(account)],
    adminGroupUuids: [],
    enableAdminGroupsByDefault: true,
    iconSet: null,
  });

/** GET group: the recovery group, the only one here, with the public key for its share of a new vault. */
export const getGroup: Handler = ({ account, groupId }) => {
  const uuid = recoveryGroupId(account);
  if (groupId !== uuid) return refusal(404);
  const madeAt = "2024-01-01T00:00:00Z";
  return sealed({
    uuid,
    type: "R",
    name: "Recovery",
    desc: "",
    avatar: "",
    state: "A",
    permissions: 0,
    attrVersion: 1,
    activeKeysetUuid: uuid,
    pubKey: account.credentials.publicJwk(uuid),
    vaultAccess: [],
    createdAt: madeAt,
    updatedAt: madeAt,
  });
};

function recoveryGroupId(account: LiveAccount): string {
  return derivedId(account.credentials.accountId, "recovery group");
}
