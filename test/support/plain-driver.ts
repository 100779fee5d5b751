/** A serial driver that knows nothing of serial ports: it opens a file, writes and reads. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

export class PlainDriver {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async open(path: string): Promise<PlainDriver> {
    return new PlainDriver(await open(path, constants.O_RDWR | constants.O_NOCTTY));
  }

  /** One character is one byte. */
  async write(text: string): Promise<void> {
    await this.#handle.writeFile(Buffer.from(text, "latin1"));
  }

  /** Exactly so many bytes. A read blocks a thread of the pool until they are there. */
  async read(length: number): Promise<string> {
    const whole = Buffer.alloc(length);
    let got = 0;
    while (got < length) {
      const { bytesRead } = await this.#handle.read(whole, got, length - got, null);
      if (bytesRead === 0) throw new Error(`the port ended after ${got} of ${length} bytes`);
      got += bytesRead;
    }
    return whole.toString("latin1");
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
