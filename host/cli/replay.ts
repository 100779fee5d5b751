/** `sakuraio replay`: a recorded session as a module, for a driver or a firmware to meet it again. */
import { readFile } from "node:fs/promises";
import { type ReplayEvent, type ReplayedModule, replayRecording } from "../../emulator/replay/module.ts";
import { commandByCode } from "../../protocol/commands.ts";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import { toHex } from "../../protocol/hex.ts";
import { parseRecording, type Recording } from "../../protocol/recording.ts";
import { trace } from "./emulated-module-report.ts";
import { requestMeaning } from "./frame-meaning.ts";
import { aborted, type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine, type Plain } from "./json-line.ts";
import { modulePlaces, openModuleLines } from "./module-lines.ts";

export interface ReplayVerbOptions {
  readonly uart?: string | undefined;
  readonly busPirate?: string | undefined;
  readonly fast: boolean;
  readonly strict: boolean;
  readonly trace: boolean;
  readonly json: boolean;
}

/**
 * Runs until the signal; with `strict` until something does not fit.
 * @throws SakuraError FILE_FAILED; INVALID_ARGUMENT for a file that is no recording; a port's own codes
 */
export async function replay(file: string, options: ReplayVerbOptions, io: CliIo): Promise<ExitCode> {
  const { json, fast, strict } = options;
  const module = replayRecording(await read(file), { fast });
  const lines = await openModuleLines(modulePlaces(options), { signal: io.signal });
  try {
    const misfit = new Promise<"misfit">((resolve) => {
      module.onEvent((event) => {
        tell(event, module, json, io);
        if (strict && isMisfit(event)) resolve("misfit");
      });
    });
    if (options.trace) trace(module, io);
    lines.attach(module, { onConnected: json ? undefined : (driver) => printLine(io.stderr, `${driver} connected`) });
    greet(module, lines.addresses, json, io);
    const end = await Promise.race([lines.lost, misfit, aborted(io.signal)]);
    if (end instanceof SakuraError) throw end;
    return end === "misfit" ? 1 : 0;
  } finally {
    await lines.close();
  }
}

async function read(file: string): Promise<Recording> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new SakuraError("FILE_FAILED", `the recording cannot be read: ${reasonOf(cause)}`, {
      context: { file },
      cause,
    });
  }
  return parseRecording(text);
}

/** What `strict` does not allow: to ask less often is no misfit. */
function isMisfit(event: ReplayEvent): boolean {
  return event.kind === "mismatch" || (event.kind === "skipped" && event.orders > 0);
}

function greet(module: ReplayedModule, addresses: Readonly<Record<string, string>>, json: boolean, io: CliIo): void {
  const { header, torn } = module.recording;
  const { exchanges } = module.progress;
  if (json) {
    const recording = { recorded: header.recorded, kit: header.kit, port: header.port.kind, exchanges, torn };
    return printLine(io.stdout, jsonLine({ event: "ready", endpoints: addresses, recording }));
  }
  const cut = torn ? "; it ends within a line, as after a crash" : "";
  printLine(
    io.stdout,
    `${exchanges} exchanges, recorded ${header.recorded} over ${header.port.kind} by sakuraio-kit ${header.kit}${cut}
at ${Object.values(addresses).join(" and ")}; Ctrl+C stops it`,
  );
}

function tell(event: ReplayEvent, module: ReplayedModule, json: boolean, io: CliIo): void {
  if (json) printLine(io.stdout, jsonLine(eventJson(event, module)));
  else if (event.kind === "end") printLine(io.stdout, eventText(event));
  else printLine(io.stderr, eventText(event));
}

function eventJson(event: ReplayEvent, module: ReplayedModule): Plain {
  switch (event.kind) {
    case "skipped":
      return { event: "skipped", requests: event.requests.map((request) => toHex(request)), orders: event.orders };
    case "mismatch": {
      const { request, expected, answer } = event;
      const { exchanges, played } = module.progress;
      return {
        event: "mismatch",
        request: toHex(request),
        expected: expected && toHex(expected),
        answer: answer && toHex(answer),
        played,
        exchanges,
      };
    }
    case "end":
      return { event: "end", exchanges: module.progress.exchanges };
  }
}

function eventText(event: ReplayEvent): string {
  switch (event.kind) {
    case "skipped": {
      const [first] = event.requests;
      const more = event.requests.length === 1 ? "" : ` and ${event.requests.length - 1} more`;
      return `skipped   ${first ? sayRequest(first) : "?"}${more}`;
    }
    case "mismatch": {
      const { request, expected, answer } = event;
      const instead = expected ? `recorded was ${sayRequest(expected)}` : "nothing more was recorded";
      return `mismatch  ${sayRequest(request)}, but ${instead}; answered ${answer ? toHex(answer, " ") : "nothing"}`;
    }
    case "end":
      return "the recording has been played; questions get their last answers";
  }
}

/** `TX_ENQUEUE 1:i=25 (20 0A …)`. */
function sayRequest(request: Uint8Array): string {
  const meaning = requestMeaning(request);
  return `${commandByCode(request[0] ?? 0) ?? "?"}${meaning === "" ? "" : ` ${meaning}`} (${toHex(request, " ")})`;
}
