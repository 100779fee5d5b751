// Downloads a file that the platform keeps for the module: node download.mjs uart:/dev/ttyUSB0 1 firmware.bin
import { writeFile } from "node:fs/promises";
import { SakuraModule } from "sakuraio-kit/host";

const [port = "uart:/dev/ttyUSB0", id = "1", path = `file-${id}`] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const module = await SakuraModule.open(port, { reopen: true });
try {
  const download = await module.downloadFile(Number(id), {
    signal: stop.signal,
    onProgress: ({ received, size }) => process.stderr.write(`\r${received} of ${size} bytes`),
  });
  // Whole, and its CRC-32 right. Large files: `for await (const part of download)`, or `download.readable()`.
  const bytes = await download.bytes();
  await writeFile(path, bytes);
  console.log(`\n${path}: ${bytes.length} bytes of ${new Date(Number(download.metadata.timestamp)).toISOString()}`);
} catch (error) {
  // Ctrl+C is no failure; the module has been told to stop.
  if (!stop.signal.aborted) {
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
} finally {
  await module.close();
}
