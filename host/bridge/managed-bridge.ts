/**
 * A bridge with its file: what is changed through it is changed in both, and what somebody changes in the file is changed
 * in the bridge. One change after the other; each is checked as a whole file before anything is written or touched.
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { reasonOf, SakuraError } from "../../protocol/errors.ts";
import type { DownlinkMessage } from "../../protocol/message.ts";
import { wallClock } from "../clock.ts";
import {
  copyClientId,
  forgetClientId,
  type IdentifiedService,
  keptClientId,
  setClientId,
  withClientIds,
} from "../config/client-ids.ts";
import { editServices, type ServiceChanges, type ServiceEdit } from "../config/edit.ts";
import { loadConfig, parseConfig } from "../config/load.ts";
import { storePems } from "../config/pem-files.ts";
import type { BridgeConfig, ServiceConfig, ServiceInput } from "../config/schema.ts";
import { replaceFile } from "../config/write-file.ts";
import { downlinkBoundsOf, linkOf, servicePartOf } from "./assemble.ts";
import { type ConfigDiff, configDiff, type Renaming } from "./config-diff.ts";
import type { BridgeControl, ReloadReport, ServiceView, WaitingDownlink } from "./control.ts";
import type { Bridge } from "./core.ts";
import type { BridgeEvent, BridgeStats } from "./events.ts";
import type { Link } from "./link.ts";
import type { DeadLetter } from "./outbox/outbox.ts";
import { ConnectPacer } from "./service/connect-pacer.ts";
import { serviceView } from "./service-view.ts";
import { type BridgeOptions, startBridge } from "./start.ts";

export interface ManagedBridgeOptions extends Omit<BridgeOptions, "config"> {
  /** The configuration's path. */
  readonly file: string;
}

/** @throws SakuraError INVALID_CONFIG, with nothing started */
export async function startManagedBridge(options: ManagedBridgeOptions): Promise<ManagedBridge> {
  const config = loadConfig(options.file);
  const pacer = new ConnectPacer(options.clock ?? wallClock);
  return new ManagedBridge({ ...options, pacer }, config, await startBridge({ ...options, pacer, config }));
}

/** A configuration that could be put in place at once: all that can be wrong with it has been looked at. */
interface Prepared {
  readonly config: BridgeConfig;
  readonly diff: ConfigDiff;
  /** Of the modules that are added or changed, by id. Nothing started. */
  readonly links: ReadonlyMap<string, Link>;
  readonly identified: readonly IdentifiedService<ServiceConfig>[];
}

export class ManagedBridge implements BridgeControl {
  readonly #options: ManagedBridgeOptions & { readonly pacer: ConnectPacer };
  readonly #file: string;
  readonly #bridge: Bridge;
  /** Where the client ids are: a new `outbox.path` counts from the next start. */
  readonly #outboxPath: string;
  #config: BridgeConfig;
  #identified: readonly IdentifiedService<ServiceConfig>[];
  /** The last change: the next begins when it has ended. */
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: ManagedBridgeOptions & { readonly pacer: ConnectPacer }, config: BridgeConfig, bridge: Bridge) {
    this.#options = options;
    this.#file = resolve(options.file);
    this.#config = config;
    this.#outboxPath = config.outbox.path;
    this.#bridge = bridge;
    this.#identified = withClientIds(config);
  }

  /** The configuration in use. */
  get config(): BridgeConfig {
    return this.#config;
  }

  /** As the bridge's. */
  onEvent(listener: (event: BridgeEvent) => void): () => void {
    return this.#bridge.onEvent(listener);
  }

  /** As the bridge's. */
  settled(): Promise<void> {
    return this.#bridge.settled();
  }

  /** Stops for good, within 5 s. A change that is under way ends, or is given up; further ones are refused. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#bridge.close();
  }

  stats(): BridgeStats {
    return this.#bridge.stats();
  }

  services(): readonly ServiceView[] {
    return this.#identified.map(serviceView);
  }

  createService(fields: ServiceInput): Promise<void> {
    return this.#inTurn(async () => {
      await this.#edit(fields, fields.name, (stored) => ({ how: "create", fields: stored }));
    });
  }

  editService(name: string, changes: ServiceChanges): Promise<void> {
    return this.#inTurn(async () => {
      const to = changes.name ?? name;
      if (to !== name) this.#requireFreeLane(to);
      const renamed = to === name ? undefined : { from: name, to };
      const edit = (stored: ServiceChanges): ServiceEdit => ({ how: "edit", name, changes: stored });
      const { diff } = await this.#edit(changes, to, edit, { renamed });
      // To save is to try again, though nothing was changed: the policy may have been attached meanwhile (aws-iot §2).
      if (!diff.services.changed.some((one) => one.to.name === to)) this.#bridge.retry(to);
    });
  }

  removeService(name: string, options: { readonly discard: boolean }): Promise<void> {
    return this.#inTurn(async () => {
      const kept = this.#bridge.keptFor(name);
      const isOrphan = this.stats().orphans.some(({ service }) => service === name);
      if (kept > 0 && !options.discard) {
        const message = `${kept} messages of service ${name} wait: bring it online, or discard them`;
        throw new SakuraError("REFUSED", message, { context: { reason: "messages-waiting", service: name } });
      }
      if (isOrphan) await this.#bridge.removeService(name, options);
      // Where there was nothing to discard, what came this very moment is kept.
      else await this.#edit({}, name, () => ({ how: "remove", name }), { discard: options.discard ? name : undefined });
    });
  }

  retry(name: string): void {
    this.#bridge.retry(name);
  }

  reload(): Promise<ReloadReport> {
    return this.#inTurn(async () => {
      const prepared = this.#prepare(await this.#read());
      await this.#apply(prepared);
      return reportOf(prepared.diff);
    });
  }

  send(message: DownlinkMessage): Promise<void> {
    return this.#bridge.send(message);
  }

  waitingDownlinks(): readonly WaitingDownlink[] {
    return this.#bridge.waitingDownlinks();
  }

  async deadLetters(
    service: string,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    return this.#bridge.lane(service).listDeadLetters(page);
  }

  async retryDeadLetters(service: string, ids: readonly string[] | "all"): Promise<number> {
    return this.#bridge.lane(service).retryDeadLetters(ids);
  }

  async deleteDeadLetters(service: string, ids: readonly string[] | "all"): Promise<number> {
    return this.#bridge.lane(service).deleteDeadLetters(ids);
  }

  /** One change of the file, whoever else has changed it meanwhile, and with theirs of the bridge. */
  async #edit(
    fields: ServiceChanges,
    service: string,
    editWith: (stored: ServiceChanges) => ServiceEdit,
    { renamed, discard }: { readonly renamed?: Renaming | undefined; readonly discard?: string | undefined } = {},
  ): Promise<Prepared> {
    const text = await this.#read();
    const stored = await storePems(fields, service, dirname(this.#file));
    // Another service's, maybe, whose name this one was not to take.
    const idBefore = renamed && keptClientId(this.#outboxPath, renamed.to);
    let prepared: Prepared;
    try {
      const changed = editServices(text, editWith(stored.fields), basename(this.#file));
      prepared = this.#prepare(changed, renamed);
      await replaceFile(this.#file, changed);
    } catch (error) {
      await stored.undo();
      if (renamed) setClientId(this.#outboxPath, renamed.to, idBefore);
      throw error;
    }
    try {
      await this.#apply(prepared, discard);
    } catch (error) {
      // The lane has its old name still: so must the file, or the next reload parts the two.
      if (renamed && this.#bridge.stats().services.some(({ name }) => name === renamed.from)) {
        await replaceFile(this.#file, text);
        await stored.undo();
        setClientId(this.#outboxPath, renamed.to, idBefore);
      }
      throw error;
    }
    if (renamed) forgetClientId(this.#outboxPath, renamed.from);
    return prepared;
  }

  /** @throws SakuraError INVALID_CONFIG */
  async #read(): Promise<string> {
    try {
      return await readFile(this.#file, "utf8");
    } catch (cause) {
      const message = `the configuration file ${this.#file} cannot be read: ${reasonOf(cause)}`;
      throw new SakuraError("INVALID_CONFIG", message, { context: { file: this.#file }, cause });
    }
  }

  /** Everything that can be wrong with a text, before anything is touched. @throws SakuraError INVALID_CONFIG */
  #prepare(text: string, renamed?: Renaming): Prepared {
    const config = parseConfig(text, { name: basename(this.#file), directory: dirname(this.#file) });
    const diff = configDiff(this.#config, config, renamed);
    const wanted = new Set([...diff.modules.added, ...diff.modules.changed.map(({ to }) => to)].map(({ id }) => id));
    const links = new Map<string, Link>();
    for (const [i, { id }] of config.modules.entries()) {
      if (wanted.has(id)) links.set(id, linkOf(config, i, this.#options.links, this.#context()));
    }
    if (renamed) copyClientId(this.#outboxPath, renamed.from, renamed.to);
    const identified = withClientIds({ ...config, outbox: { ...config.outbox, path: this.#outboxPath } });
    return { config, diff, links, identified };
  }

  /** @param discard the removed service whose messages go as well; those of others stay */
  async #apply(prepared: Prepared, discard?: string): Promise<void> {
    const before = { config: this.#config, identified: this.#identified };
    this.#config = prepared.config;
    this.#identified = prepared.identified;
    try {
      await this.#change(prepared, discard);
    } catch (error) {
      // So that the next reload sees what is left to do.
      this.#config = before.config;
      this.#identified = before.identified;
      throw error;
    }
  }

  async #change({ config, diff, links, identified }: Prepared, discard: string | undefined): Promise<void> {
    const bridge = this.#bridge;
    const { services, modules } = diff;
    if (diff.downlinks) bridge.setDownlinkBounds(downlinkBoundsOf(config));
    const parts = new Map(identified.map((one) => [one.config.name, servicePartOf(one, this.#context())]));
    const part = (name: string) => {
      const found = parts.get(name);
      if (found) return found;
      throw new SakuraError("INVALID_ARGUMENT", `there is no service ${name}`);
    };
    await Promise.all(services.removed.map(({ name }) => bridge.removeService(name, { discard: name === discard })));
    await Promise.all(modules.removed.map(({ id }) => bridge.removeLink(id)));
    // Those that let go of a port come before those that may want it.
    for (const { to } of modules.changed) {
      const link = links.get(to.id);
      if (link) await bridge.replaceLink(link);
    }
    for (const { id } of modules.added) {
      const link = links.get(id);
      // One that an earlier change has started, and then failed, lets go of its port first.
      if (link) await bridge.replaceLink(link);
    }
    const changed = await Promise.allSettled(
      services.changed.map(({ from, to }) => bridge.replaceService(from.name, part(to.name))),
    );
    for (const { name } of services.added) {
      if (bridge.hasService(name)) await bridge.replaceService(name, part(name));
      else bridge.addService(part(name));
    }
    const failed = changed.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
  }

  #context() {
    const { clock = wallClock, random = Math.random, pacer } = this.#options;
    return { clock, random, pacer };
  }

  /** Two services' messages must not come into one lane. */
  #requireFreeLane(name: string): void {
    const orphan = this.stats().orphans.find(({ service }) => service === name);
    if (!orphan) return;
    const message = `messages of a service ${name} that is gone are kept under this name: discard them, or choose another`;
    throw new SakuraError("REFUSED", message, { context: { reason: "messages-waiting", service: name } });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(() => {
      if (this.#closed) throw new SakuraError("CLOSED", "the bridge is closed: nothing was changed");
      return work();
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}

function reportOf({ services, modules, needsRestart }: ConfigDiff): ReloadReport {
  const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);
  const ids = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
  return {
    services: {
      added: names(services.added),
      changed: names(services.changed.map(({ to }) => to)),
      removed: names(services.removed),
    },
    modules: {
      added: ids(modules.added),
      changed: ids(modules.changed.map(({ to }) => to)),
      removed: ids(modules.removed),
    },
    needsRestart: [...needsRestart],
  };
}
