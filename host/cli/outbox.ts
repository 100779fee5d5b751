/** `sakuraio outbox`: what a bridge has accepted and not handed over yet, and its dead letters. */
import { resolve } from "node:path";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import type { Outbox } from "../bridge/index.ts";
import { loadBridgeFile } from "../config/load.ts";
import { type BridgeConfig, listenProblem } from "../config/schema.ts";
import { type CliIo, type ExitCode, printLine } from "./io.ts";
import { jsonLine, type Plain } from "./json-line.ts";
import { oneLine } from "./log.ts";
import type { LaneStatus, LetterView, OutboxDesk } from "./outbox-desk.ts";
import { httpDesk } from "./outbox-http.ts";
import { storeDesk } from "./outbox-store.ts";

export interface OutboxOptions {
  readonly config?: string;
  /** Where the bridge listens, instead of the file's `http.listen`. */
  readonly panel?: string;
  readonly json: boolean;
}

export interface LettersOptions extends OutboxOptions {
  /** May be left out where there is one. */
  readonly service?: string;
}

export interface ListOptions extends LettersOptions {
  readonly after?: string;
  readonly limit: number;
}

export interface PickOptions extends LettersOptions {
  readonly id?: readonly string[];
  readonly all: boolean;
}

/** Opens the outbox of a bridge that does not run. @throws SakuraError PORT_BUSY when one does */
export type OpenStore = (config: Pick<BridgeConfig, "outbox">, report: (note: string) => void) => Promise<Outbox>;

/** What the API takes for a page. */
const PAGE_MAX = 1_000;

export async function outboxStatus(options: OutboxOptions, io: CliIo, openStore?: OpenStore): Promise<ExitCode> {
  return withDesk(options, io, openStore, async (desk) => {
    const { state, lanes } = await desk.status();
    const told = state.state === "ok" ? "ok" : `${state.state}: ${state.reason}`;
    print(io, options.json, { event: "outbox", ...state }, `outbox: ${told}`);
    for (const lane of lanes) print(io, options.json, { event: "lane", ...lane }, laneText(lane));
  });
}

export async function outboxDeadLetters(options: ListOptions, io: CliIo, openStore?: OpenStore): Promise<ExitCode> {
  return withDesk(options, io, openStore, async (desk) => {
    const service = await serviceOf(desk, options.service);
    let { after, limit: left } = options;
    while (left > 0) {
      const limit = Math.min(left, PAGE_MAX);
      const letters = await desk.deadLetters(service, { after, limit });
      for (const letter of letters) {
        print(io, options.json, { event: "dead-letter", service, ...letter }, letterText(letter));
      }
      if (letters.length < limit) return;
      left -= limit;
      after = letters.at(-1)?.id;
    }
    printLine(io.stderr, `there may be more: go on with --after ${oneLine(after ?? "")}`);
  });
}

export async function outboxRetry(options: PickOptions, io: CliIo, openStore?: OpenStore): Promise<ExitCode> {
  return withDesk(options, io, openStore, async (desk) => {
    const ids = idsOf(options);
    const service = await serviceOf(desk, options.service);
    const messages = await desk.retry(service, ids);
    print(io, options.json, { event: "retried", service, messages }, `${messages} go to ${service} again`);
  });
}

export async function outboxDelete(options: PickOptions, io: CliIo, openStore?: OpenStore): Promise<ExitCode> {
  return withDesk(options, io, openStore, async (desk) => {
    const ids = idsOf(options);
    const service = await serviceOf(desk, options.service);
    const messages = await desk.delete(service, ids);
    print(io, options.json, { event: "deleted", service, messages }, `${messages} of ${service} were deleted`);
  });
}

async function withDesk(
  options: OutboxOptions,
  io: CliIo,
  openStore: OpenStore | undefined,
  work: (desk: OutboxDesk) => Promise<void>,
): Promise<ExitCode> {
  const desk = await openDesk(options, io, openStore);
  try {
    await work(desk);
  } finally {
    await desk.close();
  }
  return 0;
}

/** What of a file is needed here: without its certificates, which this user may not be allowed to read. */
function outboxOf(path: string): Pick<BridgeConfig, "outbox" | "http"> {
  const { file, directory } = loadBridgeFile(path);
  return { outbox: { ...file.outbox, path: resolve(directory, file.outbox.path) }, http: file.http };
}

/** The bridge where one runs; else its store, where that can be opened. */
async function openDesk({ config: file, panel }: OutboxOptions, io: CliIo, openStore?: OpenStore): Promise<OutboxDesk> {
  const config = file === undefined ? undefined : outboxOf(file);
  const address = panel ?? config?.http?.listen;
  if (address !== undefined) {
    const desk = httpDesk(reachable(address), io.signal);
    try {
      await desk.status();
      return desk;
    } catch (error) {
      if (!isSakuraError(error, "PORT_NOT_FOUND") || !config || !openStore) throw error;
    }
  }
  if (!config) throw new SakuraError("INVALID_ARGUMENT", "say which bridge: --config FILE, or --panel HOST:PORT");
  if (openStore) return storeDesk(await openStore(config, (note) => printLine(io.stderr, `note: ${note}`)));
  throw new SakuraError(
    "INVALID_ARGUMENT",
    `a bridge tells of its outbox on its HTTP port: put http: { listen: "127.0.0.1:8080" } into ${file}, and start it again`,
  );
}

function reachable(address: string): string {
  const problem = listenProblem(address);
  if (problem !== undefined) throw new SakuraError("INVALID_ARGUMENT", `--panel ${address}: ${problem}`);
  if (!address.endsWith(":0")) return address;
  const words = "the bridge took a free port: give the one that its ready line names as --panel HOST:PORT";
  throw new SakuraError("INVALID_ARGUMENT", `${address}: ${words}`);
}

async function serviceOf(desk: OutboxDesk, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const services = (await desk.status()).lanes.map(({ service }) => service);
  const [only] = services;
  if (only !== undefined && services.length === 1) return only;
  const choice = services.length === 0 ? "there is none" : services.join(", ");
  throw new SakuraError("INVALID_ARGUMENT", `say which service with --service: ${choice}`);
}

function idsOf({ id, all }: PickOptions): readonly string[] | "all" {
  if (all === (id !== undefined)) {
    throw new SakuraError("INVALID_ARGUMENT", "say which dead letters: --id ID… for some, or --all");
  }
  return id ?? "all";
}

function print({ stdout }: CliIo, json: boolean, line: Plain, text: string): void {
  printLine(stdout, json ? jsonLine(line) : oneLine(text));
}

function laneText({ service, waiting, waitingBytes, oldestAt, deadLetters }: LaneStatus): string {
  const oldest = oldestAt === undefined ? "" : `, the oldest since ${oldestAt}`;
  return `${service}: ${waiting} messages wait (${waitingBytes} bytes${oldest}), ${deadLetters} dead letters`;
}

function letterText({ id, module, setAsideAt, reason, message }: LetterView): string {
  return `${id}  ${setAsideAt}  ${module}  ${reason}  ${jsonLine(message)}`;
}
