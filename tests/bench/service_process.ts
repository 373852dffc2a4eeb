/** The local 1Password service: prints its token, and at the end of its input how many requests it has had. */
import { bigAccount, startService } from "../service/mod.ts";

const [items, files, fileSize, latencyMs] = Deno.args.map(Number);
const service = await startService(
  bigAccount({ items: items!, files: files!, fileSize: fileSize! }),
  { latencyMs: latencyMs ?? 0 },
);
console.log(service.token());
for await (const _ of Deno.stdin.readable);
console.log(service.requests.total());
Deno.exit(0);
