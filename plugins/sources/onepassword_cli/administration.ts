import { isAppError } from "../../../src/base/errors.ts";
import { Secret } from "../../../src/base/secret.ts";
import type { Account, Vault } from "../../../src/model/vault.ts";
import type { Administration, Person, WantedServiceAccount } from "../../../src/source/administration.ts";
import { accountOf } from "./account.ts";
import { opFailure } from "./op/errors.ts";
import { listOf, textOf } from "./op/json.ts";
import type { Op } from "./op/program.ts";
import { describedVaults } from "./vaults.ts";

/** An account through the `op` of somebody who is signed in to it. */
export class OpAdministration implements Administration {
  constructor(readonly op: Op) {}

  account(signal: AbortSignal): Promise<Account | undefined> {
    return accountOf(this.op, signal);
  }

  vaults(signal: AbortSignal): Promise<Vault[]> {
    return describedVaults(this.op, signal);
  }

  async people(signal: AbortSignal): Promise<Person[]> {
    const people = listOf(await this.op.json(["user", "list"], signal), "people");
    return people.map((person) => ({
      id: person.id,
      name: textOf(person.name),
      email: textOf(person.email),
      active: textOf(person.state) === "ACTIVE",
    }));
  }

  commandFor({ name, vaults, days }: WantedServiceAccount): string[] {
    return [
      ...["service-account", "create", name, "--raw"],
      // In hours, which every version of op knows.
      ...(days === undefined ? [] : ["--expires-in", `${days * 24}h`]),
      ...vaults.flatMap((id) => ["--vault", `${id}:read_items`]),
    ];
  }

  async createServiceAccount(wanted: WantedServiceAccount, signal: AbortSignal): Promise<Secret> {
    const answer = await this.op.text(this.commandFor(wanted), signal).catch((error) => {
      // What is final is about the sign-in; anything else that is denied is this one thing.
      this.op.throwIfRefused();
      if (!isAppError(error, "denied")) throw error;
      throw opFailure(
        "denied",
        "1Password does not let this person make a service account for these vaults",
        {
          hint:
            "owners and administrators may, and whom they allow to; and only for vaults that they can manage",
          cause: error,
        },
      );
    });
    if (!/^ops_[A-Za-z0-9+/_-]+=*$/.test(answer)) {
      // Not quoted: it may hold the token all the same.
      throw opFailure("unknown", "op made a service account and did not show its token", {
        hint: `delete the service account "${wanted.name}" in 1Password's web interface`,
      });
    }
    return new Secret(answer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.op.close();
    return Promise.resolve();
  }
}
