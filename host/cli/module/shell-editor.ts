/** One line typed at a terminal, with Node's own editing: history, completion, cursor keys. */
import { clearScreenDown, createInterface, moveCursor } from "node:readline";
import type { CliIo } from "../io.ts";
import type { Keyboard } from "./shell-keys.ts";

export type Typed =
  | { readonly kind: "line"; readonly line: string }
  /** Ctrl+C. */
  | { readonly kind: "interrupted"; readonly empty: boolean }
  /** Ctrl+D, the terminal's end, or the signal. */
  | { readonly kind: "end" };

export interface EditorOptions {
  readonly prompt: string;
  /** The newest first. */
  readonly history?: readonly string[];
  readonly complete?: (line: string) => [hits: string[], typed: string];
  readonly signal: AbortSignal;
}

export interface LineEditor {
  readonly typed: Promise<Typed>;
  /** Puts a line of text above the one that is being typed. */
  tell(text: string): void;
}

export function editLine(keyboard: Keyboard, { stdout }: Pick<CliIo, "stdout">, options: EditorOptions): LineEditor {
  const { prompt, history = [], complete, signal } = options;
  const keys = keyboard.forLine();
  const editor = createInterface({
    input: keys,
    output: stdout,
    terminal: true,
    prompt,
    history: [...history],
    historySize: history.length + 1,
    removeHistoryDuplicates: true,
    ...(complete && { completer: complete }),
  });
  const typed = new Promise<Typed>((resolve) => {
    const finish = (how: Typed): void => {
      signal.removeEventListener("abort", onAbort);
      // These alone: by its own, the editor lets go of the terminal when it is closed.
      editor.off("line", onLine).off("SIGINT", onInterrupt).off("close", onClose).off("SIGCONT", onContinued);
      // Before the editor would give the terminal back: keys typed from now on wait for the next line.
      keyboard.release(keys);
      editor.close();
      keys.destroy();
      resolve(how);
    };
    const leaveLine = (mark: string): void => {
      editor.write(null, { ctrl: true, name: "e" });
      stdout.write(`${mark}\r\n`);
    };
    const onAbort = (): void => {
      leaveLine("");
      finish({ kind: "end" });
    };
    const onLine = (line: string): void => finish({ kind: "line", line });
    const onInterrupt = (): void => {
      leaveLine("^C");
      finish({ kind: "interrupted", empty: editor.line === "" });
    };
    const onClose = (): void => {
      stdout.write("\r\n");
      finish({ kind: "end" });
    };
    // Stopped by Ctrl+Z, and gone on with.
    const onContinued = (): void => editor.prompt(true);
    editor.on("line", onLine).on("SIGINT", onInterrupt).on("close", onClose).on("SIGCONT", onContinued);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else editor.prompt();
  });
  return {
    typed,
    tell(text) {
      const { rows } = editor.getCursorPos();
      moveCursor(stdout, 0, -rows);
      stdout.write("\r");
      clearScreenDown(stdout);
      // The editor goes up by the rows that it believes to be in.
      stdout.write(`${text}\r\n${"\n".repeat(rows)}`);
      editor.prompt(true);
    },
  };
}
