/** The other process of a benchmark: started, heard, ended. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const START_MS = 20_000;

export interface Child {
  readonly process: ChildProcess;
  /** What it said first. */
  readonly hello: object;
  end(): Promise<void>;
}

/** Starts a program of this directory, and waits for the first thing that it says. */
export async function startChild(program: string, ...args: readonly string[]): Promise<Child> {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: ["--expose-gc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const end = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  try {
    return { process: child, hello: await nextMessage(child, START_MS), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The next thing that it says. */
export function nextMessage(child: ChildProcess, timeoutMs: number): Promise<object> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      child.removeListener("message", onMessage);
      child.removeListener("exit", onExit);
    };
    const onMessage = (message: unknown): void => {
      if (typeof message !== "object" || message === null) return;
      finish();
      resolve(message);
    };
    const onExit = (code: number | null): void => {
      finish();
      reject(new Error(`the other process has ended (${code ?? "killed"})`));
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`the other process has said nothing for ${timeoutMs} ms`));
    }, timeoutMs);
    child.on("message", onMessage);
    child.once("exit", onExit);
  });
}
