/** An `aws` on PATH that asks the test what to answer, so that what is really spawned is a program. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { onTestFinished } from "vitest";

export interface FakeAnswer {
  readonly code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

const PROGRAM = `#!${process.execPath}
const socket = require("node:net").connect(process.env.FAKE_AWS_SOCKET);
let text = "";
socket.on("data", (chunk) => { text += chunk; });
socket.on("end", () => {
  const { code = 0, stdout = "", stderr = "" } = JSON.parse(text);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
});
socket.write(JSON.stringify(process.argv.slice(2)) + "\\n");
`;

/** Puts it on PATH until the test is over. @returns the arguments of each run, as they come */
export async function fakeAws(answer: (args: readonly string[]) => FakeAnswer | Promise<FakeAnswer>) {
  const calls: string[][] = [];
  const directory = mkdtempSync(join(tmpdir(), "fake-aws-"));
  writeFileSync(join(directory, "aws"), PROGRAM, { mode: 0o755 });
  const server = createServer((socket) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (!text.endsWith("\n")) return;
      const args = JSON.parse(text) as string[];
      calls.push(args);
      void Promise.resolve(answer(args)).then(
        (given) => socket.end(JSON.stringify(given)),
        (error: unknown) => socket.end(JSON.stringify({ code: 99, stderr: String(error) })),
      );
    });
  });
  const path = join(directory, "socket");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = `${directory}${delimiter}${before}`;
  process.env["FAKE_AWS_SOCKET"] = path;
  onTestFinished(async () => {
    process.env["PATH"] = before;
    delete process.env["FAKE_AWS_SOCKET"];
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });
  return calls;
}
