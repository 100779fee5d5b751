/** `sakuraio doctor`: has a port or a bridge examined, and prints each finding as it is made. */
import { type DoctorProgress, type ExaminePortOptions, examinePort } from "../doctor/examine-port.ts";
import { diagnose, type Finding } from "../doctor/finding.ts";
import { parseChannelArgument } from "./channel-args.ts";
import { DoctorPaper } from "./doctor-text.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine } from "./json-line.ts";
import { bar, liveLine } from "./live-line.ts";
import { openModule, type PortOptions, portOf } from "./module/session.ts";

export interface DoctorVerbOptions extends Omit<PortOptions, "port"> {
  /** This or `config`. */
  readonly port?: string | undefined;
  /** A bridge's file. */
  readonly config?: string | undefined;
  /** `CH:TYPE=VALUE` */
  readonly send?: string | undefined;
}

/** Exits 1 when a check is a problem, or nobody can tell whether it works. @throws SakuraError INVALID_ARGUMENT, ABORTED */
export async function doctorVerb(options: DoctorVerbOptions, io: CliIo): Promise<ExitCode> {
  const { config, json } = options;
  const live = liveLine(io, { quiet: json || options.trace === true });
  const common = {
    signal: io.signal,
    timeoutMs: options.timeout,
    onProgress: (progress: DoctorProgress) => live.show(progressText(progress)),
  };
  const findings = config === undefined ? examinedPort(options, common, io) : await examinedBridge(config, common);
  return report(findings, json, io, () => live.clear());
}

function examinedPort(
  { port = "", send, ...options }: DoctorVerbOptions,
  common: ExaminePortOptions,
  io: CliIo,
): AsyncIterable<Finding> {
  const where = { ...options, port };
  const value = send === undefined ? undefined : parseChannelArgument(send);
  return examinePort(portOf(where), { ...common, send: value, open: () => openModule(where, io, { reopen: false }) });
}

/** Loaded for a bridge alone: a port needs neither its file's libraries nor its store's. */
async function examinedBridge(config: string, common: ExaminePortOptions): Promise<AsyncIterable<Finding>> {
  const { examineBridge } = await import("../doctor/examine-bridge.ts");
  return examineBridge(config, common);
}

/** @param beforeLine makes room, where a live line is */
async function report(
  findings: AsyncIterable<Finding>,
  json: boolean,
  io: CliIo,
  beforeLine: () => void,
): Promise<ExitCode> {
  const all: Finding[] = [];
  const paper = new DoctorPaper(io.stdout);
  const print = (lines: readonly string[]): void => {
    beforeLine();
    for (const line of lines) printLine(io.stdout, line);
  };
  try {
    for await (const finding of findings) {
      all.push(finding);
      print(json ? [jsonLine({ event: "finding", ...finding })] : paper.finding(finding));
    }
  } finally {
    beforeLine();
  }
  const verdict = diagnose(all);
  const ok = verdict.outcome === "well" || verdict.outcome === "works-but";
  const { outcome, first, text } = verdict;
  print(
    json
      ? [jsonLine({ event: "verdict", ok, outcome, check: first?.check, subject: first?.subject, text })]
      : paper.verdict(verdict),
  );
  return ok ? 0 : 1;
}

function progressText(progress: DoctorProgress): string {
  return progress.kind === "echoes"
    ? `    parity ${bar(progress.done / progress.total)}  ${progress.done} of ${progress.total} echoes`
    : `    nothing readable; trying ${progress.baudRate} baud`;
}
