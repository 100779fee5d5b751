/**
 * Calls every listener. What one of them throws is an uncaught exception as any other: it keeps nothing from the others,
 * and does not come out where a connection or a link would take it for a failure of its own.
 */
export function tellAll<Value>(listeners: Iterable<(value: Value) => void>, value: Value): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }
}
