/** The local 1Password service in a process of its own, so that its memory and time are not measured. */
import { bigAccount, startService } from "../service/mod.ts";

const [items, files, fileSize, latencyMs] = Deno.args.map(Number);
const service = await startService(
  bigAccount({ items: items!, files: files!, fileSize: fileSize! }),
  { latencyMs: latencyMs ?? 0 },
);
console.log(service.token());
