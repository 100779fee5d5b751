/** The shell at a terminal: a prompt, a verb, a prompt, until somebody leaves. */
import type { SakuraModule } from "../../module.ts";
import { type CliIo, type ExitCode, printLine } from "../io.ts";
import { portTeller } from "./receive.ts";
import { shellCompleter } from "./shell-completion.ts";
import { editLine, type LineEditor } from "./shell-editor.ts";
import { openHistory } from "./shell-history.ts";
import { Keyboard, type KeySource } from "./shell-keys.ts";
import { PROMPT, runLine, type ShellSettings } from "./shell-verbs.ts";

/** Exits 0, whatever the verbs did: their failures have been told. */
export async function runPrompt(
  module: SakuraModule,
  settings: ShellSettings,
  io: CliIo,
  stdin: KeySource,
): Promise<ExitCode> {
  const shell = new Shell(module, settings, io, stdin);
  try {
    return await shell.run();
  } finally {
    shell.close();
  }
}

class Shell {
  readonly #module: SakuraModule;
  readonly #settings: ShellSettings;
  readonly #io: CliIo;
  readonly #keyboard: Keyboard;
  readonly #stopTelling: () => void;
  /** The line that is being edited. */
  #editor: LineEditor | undefined;
  /** The verb that runs. */
  #verb: AbortController | undefined;

  constructor(module: SakuraModule, settings: ShellSettings, io: CliIo, stdin: KeySource) {
    this.#module = module;
    this.#settings = settings;
    this.#io = io;
    this.#keyboard = new Keyboard(stdin, () => this.#verb?.abort());
    this.#stopTelling = module.onState(portTeller((text) => this.#tellOfPort(text)));
  }

  async run(): Promise<ExitCode> {
    const io = this.#io;
    if (!this.#settings.json) printLine(io.stdout, `${this.#module.name}; help tells what there is`);
    const history = openHistory((text) => printLine(io.stderr, `sakuraio: ${text}`));
    const complete = shellCompleter();
    let warned = false;
    for (;;) {
      this.#editor = editLine(this.#keyboard, io, {
        prompt: PROMPT,
        history: history.lines,
        complete,
        signal: io.signal,
      });
      const typed = await this.#editor.typed;
      this.#editor = undefined;
      if (typed.kind === "end") return 0;
      if (typed.kind === "interrupted") {
        if (typed.empty && warned) return 0;
        warned = typed.empty;
        if (warned) printLine(io.stderr, "Ctrl+C again, Ctrl+D or exit leaves");
        continue;
      }
      warned = false;
      history.add(typed.line);
      if (await this.#carryOut(typed.line)) return 0;
    }
  }

  close(): void {
    this.#stopTelling();
    this.#keyboard.close();
  }

  /** Whether that was the last one. */
  async #carryOut(line: string): Promise<boolean> {
    const io = this.#io;
    const verb = new AbortController();
    this.#verb = verb;
    const keys = this.#keyboard.forVerb();
    try {
      const { left } = await runLine(line, this.#module, this.#settings, {
        stdin: keys,
        stdout: io.stdout,
        stderr: io.stderr,
        signal: AbortSignal.any([io.signal, verb.signal]),
        fail: (error) => io.fail(error),
        ask: (question) => this.#ask(question, verb),
      });
      return left || io.signal.aborted;
    } finally {
      this.#verb = undefined;
      this.#keyboard.release(keys);
      keys.destroy();
    }
  }

  /** A verb's question. No answer is a no, and Ctrl+C stops the verb. */
  async #ask(question: string, verb: AbortController): Promise<string> {
    const typed = await editLine(
      this.#keyboard,
      { stdout: this.#io.stdout },
      { prompt: question, signal: AbortSignal.any([this.#io.signal, verb.signal]) },
    ).typed;
    if (typed.kind === "interrupted") verb.abort();
    return typed.kind === "line" ? typed.line : "";
  }

  /** Only at the prompt: a verb tells itself what a lost port does to it. */
  #tellOfPort(text: string): void {
    this.#editor?.tell(`sakuraio: ${text}`);
  }
}
