/** Numbers and times as people read them. */

/** `12,345` */
export function number(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 item`, `2 items`; the plural is the given word with an s, or `plural`. */
export function counted(count: number, word: string, plural = `${word}s`): string {
  return `${number(count)} ${count === 1 ? word : plural}`;
}

/** `2026-11-20 17:30 UTC` of a time in RFC 3339, UTC. */
export function moment(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}
