/** Lines of a stream that a program writes to us, bounded, as they come. */

const LINE_MAX = 1_048_576;

/**
 * Calls `onLine` with each line that is not blank, without its end; a longer one than 1 MiB is cut there, and so will
 * not parse. The stream's end ends the last line and nothing else. Returns the removal, which stops reading.
 */
export function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => void {
  let held = "";
  const give = (line: string): void => {
    if (line.trim() !== "") onLine(line);
  };
  const onData = (chunk: string): void => {
    const lines = chunk.split(/\r?\n/);
    const last = lines.pop() ?? "";
    for (const line of lines) {
      give(held + line);
      held = "";
    }
    if (held.length < LINE_MAX) held += last;
  };
  const onEnd = (): void => {
    give(held);
    held = "";
  };
  // What a program's closed end of the pipe may say here is no more than an end.
  const onError = (): void => onEnd();
  stream.setEncoding("utf8");
  stream.on("data", onData);
  stream.on("end", onEnd);
  stream.on("error", onError);
  return () => {
    stream.removeListener("data", onData);
    stream.removeListener("end", onEnd);
    stream.pause();
  };
}
