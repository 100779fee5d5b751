/** `sakuraio module file`: what a file at the platform is, and the file itself. */
import { formatDateTime } from "../../../protocol/datetime.ts";
import { SakuraError } from "../../../protocol/errors.ts";
import type { FileDownload } from "../../file-download.ts";
import type { FileMetadata } from "../../file-link.ts";
import { type ExitCode, printLine } from "../io.ts";
import { liveLine } from "../live-line.ts";
import { NewFile } from "../new-file.ts";
import { FileProgressLine, kilobytes } from "./file-progress.ts";
import { portTeller } from "./receive.ts";
import { report } from "./report.ts";
import type { ModuleSession } from "./session.ts";
import { table } from "./text.ts";

export interface FileGetOptions {
  /** Where to; `-` is stdout. */
  readonly output: string;
  /** Bytes a request asks for at most. */
  readonly chunk?: number | undefined;
  /** Replaces a file that is there. */
  readonly force: boolean;
}

export function moduleFileInfo(file: number, session: ModuleSession): Promise<ExitCode> {
  return session.withModule(async (module) => {
    const download = await module.downloadFile(file, { signal: session.io.signal });
    await download.cancel();
    const fields = metadataFields(download.metadata);
    const rows = table([
      ["size", `${fields.size} bytes`],
      ["time", fields.datetime],
      ["CRC-32", fields.crc32],
    ]);
    return report(session, { event: "file-info", file, ...fields }, rows);
  });
}

export async function moduleFileGet(file: number, options: FileGetOptions, session: ModuleSession): Promise<ExitCode> {
  const { output } = options;
  if (output !== "-") return getIntoFile(file, options, session);
  if (session.json) throw new SakuraError("INVALID_ARGUMENT", "-o - and --json both want stdout: name a file");
  await fetch(file, options, session, async (bytes) => {
    session.io.stdout.write(bytes);
  });
  return 0;
}

async function getIntoFile(file: number, options: FileGetOptions, session: ModuleSession): Promise<ExitCode> {
  const { output, force } = options;
  // Before the download: where it cannot be written is known at once.
  const target = await NewFile.create(output, { force });
  try {
    const { metadata, passes, seconds } = await fetch(file, options, session, (bytes) => target.finish(bytes));
    const fields = metadataFields(metadata);
    const rate = seconds > 0 ? `, ${kilobytes(metadata.size / seconds)} a second` : "";
    return report(
      session,
      { event: "file", file, path: output, ...fields, passes, seconds: Math.round(seconds * 1000) / 1000 },
      `${output}: ${metadata.size} bytes of ${fields.datetime}, CRC-32 ${fields.crc32} is right${rate}`,
    );
  } finally {
    await target.discard();
  }
}

interface Fetched {
  readonly metadata: FileMetadata;
  readonly passes: number;
  readonly seconds: number;
}

/** Hands the whole file over once its CRC-32 is right. A port that goes and comes back is waited for. */
async function fetch(
  file: number,
  { output, chunk }: FileGetOptions,
  session: ModuleSession,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<Fetched> {
  const { io, json, trace } = session;
  const line = liveLine(io, { quiet: json || trace === true || output === "-" });
  const tell = (text: string): void => {
    line.clear();
    printLine(io.stderr, `sakuraio: ${text}`);
  };
  let fetched: Fetched | undefined;
  await session.withModule(
    async (module) => {
      const stopTelling = module.onState(portTeller(tell));
      const progress = new FileProgressLine(file, line, json ? (text) => printLine(io.stdout, text) : undefined);
      let download: FileDownload | undefined;
      try {
        download = await module.downloadFile(file, {
          signal: io.signal,
          chunkBytes: chunk,
          onProgress: (now) => progress.show(now),
        });
        const bytes = await download.bytes();
        line.clear();
        fetched = { metadata: download.metadata, passes: download.progress.pass, seconds: progress.seconds };
        await take(bytes);
      } catch (error) {
        const { received, size } = download?.progress ?? { received: 0, size: 0 };
        if (download && !fetched) tell(`${received} of ${size} bytes had arrived; nothing is kept of them`);
        throw error;
      } finally {
        line.clear();
        stopTelling();
      }
      return 0;
    },
    { reopen: true },
  );
  // The work above has ended well, or it would have thrown.
  if (!fetched) throw new SakuraError("CLOSED", "the download has not been carried out");
  return fetched;
}

function metadataFields({ size, timestamp, crc32 }: FileMetadata) {
  const datetime = formatDateTime(Number(timestamp));
  return { size, datetime, unix_ms: timestamp, crc32: crc32.toString(16).padStart(8, "0") };
}
