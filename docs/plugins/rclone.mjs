/**
 * A destination of your own for vaultferry: archives wherever rclone can store them. Every call starts rclone and pipes
 * to or from it; docs/plugins.md explains it line by line.
 *
 * Options: `remote` (a folder, such as "drive:backups", which must exist), `program` (default "rclone"), `arguments` (for
 * every call, such as ["--config", "/etc/vaultferry/rclone.conf"]). Secrets become environment variables of rclone.
 */
export default {
  contract: 1,
  async open(context, signal) {
    const rclone = new Rclone(context);
    await rclone.mustBeThere(signal);
    return new RcloneDestination(rclone, context);
  },
};

class RcloneDestination {
  can = { read: true, list: true, remove: true, createOnly: false, immutableUntil: false, checksums: [] };

  constructor(rclone, context) {
    this.rclone = rclone;
    this.context = context;
    this.helpers = context.helpers;
  }

  /** Under a hidden name first: what breaks off is never visible. Then it is moved to where nothing is yet. */
  async put(key, body, signal, options) {
    const { putOnce, refuseUnsupported, streamed, partialName } = this.helpers;
    refuseUnsupported(this.can, options);
    const [folder, name] = [key.slice(0, key.lastIndexOf("/") + 1), key.slice(key.lastIndexOf("/") + 1)];
    const hidden = folder + partialName(name, this.context.random(8));
    let leaves = false;
    try {
      await putOnce({
        ...{ key, body, signal },
        look: () => this.#file(key, signal),
        read: () => this.get(key, undefined, signal),
        send: async () => {
          leaves = true;
          await this.rclone.run(["rcat", "--size", String(body.size)], hidden, signal, {
            stdin: streamed(key, body, signal),
          });
          await oneByOne(`${this.rclone.remote} ${key}`, () => this.#publish(hidden, key, body.size, signal));
          leaves = false;
        },
        withdraw: () => this.rclone.run(["deletefile"], key, signal),
      });
    } finally {
      // An abort leaves a moment for this; what it does not suffice for is left to `discard`.
      if (leaves) await this.#removeQuickly(hidden);
    }
    return { key, size: body.size };
  }

  async get(key, range, signal) {
    const { resumableGet, streamOf } = this.helpers;
    return await resumableGet({
      ...{ key, range, signal, clock: this.context.clock, translate: (error) => error },
      ask: async (start, end, signal) => {
        const { size } = await this.stat(key, signal); // and never `cat` of a folder, which gives all files in it
        const count = Math.min(end ?? size, size) - start;
        const body = count > 0
          ? this.rclone.read(["cat", "--offset", String(start), "--count", String(count)], key, signal)
          : streamOf(new Uint8Array());
        return { body, start, size, version: undefined };
      },
    });
  }

  async stat(key, signal) {
    const found = await this.#file(key, signal);
    if (found) return { key, size: found.size };
    throw new this.helpers.AppError("not-found", `there is no ${this.helpers.quoted(key)}`);
  }

  async *list(prefix, signal) {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    for (const { Path, Size } of await this.#files([`${folder}**`], signal)) {
      if (Path.startsWith(prefix) && this.helpers.isKey(Path)) yield { key: Path, size: Size };
    }
  }

  async remove(key, signal) {
    if (!await this.#file(key, signal)) return;
    await this.rclone.run(["deletefile"], key, signal).catch(async (error) => {
      if (await this.#file(key, signal)) throw error; // else somebody else was faster
    });
  }

  async discard(key, signal) {
    const [folder, name] = [key.slice(0, key.lastIndexOf("/") + 1), key.slice(key.lastIndexOf("/") + 1)];
    for (const { Path } of await this.#files([`${folder}.${name}.*.partial`], signal)) {
      if (!this.helpers.isPartialOf(name, Path.slice(folder.length))) continue;
      await this.rclone.run(["deletefile"], Path, signal);
    }
  }

  /** rclone looks and then moves, which is not one step: between two machines at the same moment nothing can be promised. */
  async #publish(hidden, key, size, signal) {
    const { AppError, quoted } = this.helpers;
    const taken = () => new AppError("already-exists", `${quoted(key)} exists already`);
    const before = await this.#files([hidden, key], signal);
    if (before.some(({ Path }) => Path === key)) throw taken();
    const kept = before.find(({ Path }) => Path === hidden)?.Size;
    if (kept !== size) throw new AppError("corrupt", `rclone kept ${kept ?? "no"} bytes of ${size}`);
    await this.rclone.run(["moveto", "--ignore-existing"], hidden, signal, { to: key });
    if (await this.#file(hidden, signal)) throw taken(); // it was passed over
  }

  /** The file of this key; undefined where there is none. */
  async #file(key, signal) {
    const [found] = await this.#files([key], signal);
    return found && { size: found.Size };
  }

  /**
   * All files that a filter lets through, with their paths from the remote's own folder. Always asked from there: so what
   * is missing in it is absent, a remote that is away is an error, and a list that breaks off is one too.
   */
  async #files(filters, signal) {
    const flags = ["-R", "--files-only", "--no-modtime", "--no-mimetype"];
    const included = filters.flatMap((filter) => ["--include", `/${filter}`]);
    return JSON.parse(await this.rclone.run(["lsjson", ...flags, ...included], "", signal));
  }

  async #removeQuickly(hidden) {
    await this.rclone.run(["deletefile", "--retries", "1"], hidden, AbortSignal.timeout(1000)).catch(() => {
      // It was moved, or it stays hidden until `discard`.
    });
  }
}

/** Starts rclone, and says what went wrong. */
class Rclone {
  constructor({ options, secrets, helpers, start }) {
    const { remote, program = "rclone", arguments: more = [] } = options;
    const text = (value) => typeof value === "string" && value !== "";
    if (!text(remote) || !text(program) || !Array.isArray(more) || !more.every(text)) {
      throw new helpers.AppError("misconfigured", "its options are not what they should be", {
        hint: 'give options: {remote: "drive:backups", program: rclone, arguments: ["--config", "/path"]}',
      });
    }
    this.remote = remote;
    this.argv = [program, ...more];
    this.env = Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]));
    this.helpers = helpers;
    this.start = start;
  }

  /** Throws unless the remote's own folder is there: what is missing must not read as empty. */
  async mustBeThere(signal) {
    await this.run(["lsf", "--max-depth", "1", "--dirs-only"], "", signal);
  }

  /** What a command writes. */
  async run(command, key, signal, { stdin, to } = {}) {
    const { collect, fromUtf8 } = this.helpers;
    await using program = this.#begin(command, key, signal, stdin, to);
    const out = await collect(program.stdout, 64 * 1024 * 1024, "what rclone wrote");
    const end = await program.ended;
    if (end.code !== 0) throw this.#failure(command, end);
    return fromUtf8(out, "what rclone wrote");
  }

  /** What a command writes as a stream, which ends well only when the command did. */
  read(command, key, signal) {
    const program = this.#begin(command, key, signal);
    const reader = program.stdout.getReader();
    const close = () => void program[Symbol.asyncDispose]();
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          const end = await program.ended;
          if (end.code !== 0) throw this.#failure(command, end);
          close();
          controller.close();
        } catch (error) {
          close();
          throw error;
        }
      },
      cancel: close,
    }, { highWaterMark: 0 });
  }

  #begin(command, key, signal, stdin, to) {
    const place = (key) =>
      key === "" ? this.remote : `${this.remote}${/[:/]$/.test(this.remote) ? "" : "/"}${key}`;
    const argv = [...this.argv, ...command, place(key), ...(to === undefined ? [] : [place(to)])];
    return this.start(argv, { signal, env: this.env, apart: true, ...(stdin ? { stdin } : {}) });
  }

  /** The last thing that rclone complained of. Its words hold the remote, which may hold a password: that is left out. */
  #failure([command], { code, stderr }) {
    const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => line.trim() !== "");
    const words = (lines.findLast((line) => /Failed to|Fatal error/.test(line)) ?? lines.at(-1) ?? "")
      .replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\s+/, "")
      .replaceAll(this.remote, "")
      .trim();
    return new this.helpers.AppError(
      meaningOf(code, words),
      `rclone ${command} failed (exit code ${code})${words === "" ? "" : `: ${words}`}`,
    );
  }
}

/** rclone has few exit codes; the rest is in its words. What nobody recognises is no reason to try again. */
const MEANINGS = [
  ["quota", /no space left|insufficient storage|storage ?quota|quota ?exceeded|disk full|507/i],
  [
    "denied",
    /\b40[13]\b|unauthorized|forbidden|access ?denied|permission denied|unable to authenticate|invalid_grant/i,
  ],
  [
    "misconfigured",
    /didn't find section|directory not found|unknown flag|certificate|NoSuchBucket|unknown command/i,
  ],
  [
    "transient",
    /timed? ?out|refused|reset|broken pipe|unexpected EOF|no such host|unreachable|too many|\b(429|50[0234])\b/i,
  ],
];

function meaningOf(code, words) {
  if (code === 3) return "misconfigured"; // "directory not found", and only the remote's own is ever asked for
  if (code === 5) return "transient";
  return MEANINGS.find(([, pattern]) => pattern.test(words))?.[0] ?? "unknown";
}

/** What is under way, by name; of one module there is one in a process, however many destinations it opens. */
const underWay = new Map();

/** Calls `action` when no other of this name is at work in this process. */
async function oneByOne(name, action) {
  const before = underWay.get(name);
  const mine = (async () => {
    await before?.catch(() => {});
    return await action();
  })();
  underWay.set(name, mine);
  try {
    return await mine;
  } finally {
    if (underWay.get(name) === mine) underWay.delete(name);
  }
}
