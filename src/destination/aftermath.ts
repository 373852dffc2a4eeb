/** For what is still to be done when a `put` has failed: outlasts an abort by a second, and ends by itself. */
export function aftermath(signal: AbortSignal): AbortSignal {
  const over = new AbortController(), end = () => over.abort();
  const soon = () => AbortSignal.timeout(1000).addEventListener("abort", end, { once: true });
  if (signal.aborted) soon();
  else signal.addEventListener("abort", soon, { once: true });
  return AbortSignal.any([over.signal, AbortSignal.timeout(20_000)]);
}
