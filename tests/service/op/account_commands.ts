import type { JsonObject } from "../wire/json.ts";
import { OpComplaint, SAYS } from "./errors.ts";
import { type Asked, json, type Output } from "./asked.ts";

/** `op whoami`, `op account …`, `op user list`, `op service-account …`: about accounts and people. */
export const accountCommands: Record<string, (asked: Asked) => Output> = {
  async *"--version"({ fake }) {
    yield `${fake.version}\n`;
  },

  async *whoami({ fake, serviceAccount }) {
    const { account } = fake;
    // Where the app signs in there is no session that it could tell of.
    if (!serviceAccount && fake.signedIn === "app") throw new OpComplaint(SAYS.noSignIn);
    const person = fake.people[0]!;
    yield json({
      url: fake.url,
      ...(serviceAccount ? {} : { email: person.email }),
      user_uuid: serviceAccount ? account.credentials.userId : person.id,
      account_uuid: account.credentials.accountId,
      ...(serviceAccount ? { user_type: "SERVICE_ACCOUNT" } : {}),
    });
  },

  async *"account get"({ fake }) {
    fake.spend(1);
    yield json({
      id: fake.account.credentials.accountId,
      name: fake.account.name,
      domain: "sample",
      type: "BUSINESS",
      state: "ACTIVE",
      created_at: "2024-01-01T00:00:00Z",
    });
  },

  async *"account list"({ fake }) {
    yield json(
      fake.people.slice(0, 1).map(({ id, email }): JsonObject => ({
        url: fake.url,
        email,
        user_uuid: id,
        account_uuid: fake.account.credentials.accountId,
      })),
    );
  },

  async *"user list"({ fake }) {
    fake.spend(1);
    yield json(fake.people.map((person): JsonObject => ({ type: "MEMBER", state: "ACTIVE", ...person })));
  },

  async *"service-account ratelimit"({ fake, serviceAccount }) {
    if (!serviceAccount) throw new OpComplaint("no service account token was provided");
    const { reads, allowed } = fake;
    const entry = (type: string, action: string, limit: number, used: number, reset: number): JsonObject => ({
      type,
      action,
      limit,
      used,
      remaining: Math.max(0, limit - used),
      reset: used > 0 ? reset : 0,
    });
    yield json([
      entry("token", "read", allowed.hour, reads, 3000),
      entry("token", "write", allowed.hour / 10, 0, 3000),
      entry("account", "read_write", allowed.day, reads, 80_000),
    ]);
  },

  async *"service-account create"({ fake, names, flags, serviceAccount }) {
    const [name] = names;
    if (serviceAccount) throw new OpComplaint("service accounts cannot create service accounts");
    if (name === undefined) throw new OpComplaint("accepts 1 arg(s), received 0");
    const vaults = (flags.get("vault") ?? []).map((text) => {
      const [title = "", permissions = "read_items"] = text.split(":");
      const vault = fake.findVault(title, false);
      if ("PE".includes(fake.letterOf(vault))) {
        throw new OpComplaint(`you can't grant access to vault "${title}"`);
      }
      return { id: vault.id, permissions: permissions.split(",") };
    });
    const expiresIn = flags.get("expires-in")?.[0];
    const token = fake.createServiceAccount({
      name,
      vaults,
      ...(expiresIn === undefined ? {} : { expiresIn }),
    });
    yield flags.has("raw") ? `${token}\n` : `Service account created. This token is shown once:\n${token}\n`;
  },
};
