/** An emulated module at the end of a pseudo-terminal, as on a USB cable: it can be unplugged and plugged in again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import type { ChannelEntry } from "../../protocol/channel.ts";

export class PluggableModule {
  readonly log = new MessageLog();
  readonly emulated = new EmulatedModule({ uplink: this.log, sendTimeMs: 0 });
  /** A directory of its own, for whatever a test wants to put there too. */
  readonly directory = mkdtempSync(join(tmpdir(), "sakuraio-plug-"));
  #pty: PtyEndpoint | undefined;

  static async plugged(): Promise<PluggableModule> {
    const module = new PluggableModule();
    await module.plug();
    return module;
  }

  /** The port's name, the same each time it is plugged in. */
  get uri(): string {
    return `uart:${join(this.directory, "port")}`;
  }

  async plug(): Promise<void> {
    this.#pty = await openPty({ link: join(this.directory, "port") });
    attachUart(this.emulated, this.#pty.duplex);
  }

  async unplug(): Promise<void> {
    await this.#pty?.close();
    this.#pty = undefined;
  }

  deliver(...channels: ChannelEntry[]): void {
    this.emulated.deliver({ type: "channels", module: this.emulated.id, payload: { channels } });
  }

  async close(): Promise<void> {
    await this.unplug();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
