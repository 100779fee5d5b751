/** How a module is, in one object. */
import type { ResponseOf } from "../protocol/commands.ts";
import { type Product, products } from "../protocol/status.ts";
import type { CommandOptions } from "./job.ts";
import type { ModuleMethods } from "./module-methods.ts";

export interface ModuleQueues {
  readonly tx: ResponseOf<"TX_LENGTH">;
  readonly rx: ResponseOf<"RX_LENGTH">;
  /** How the last sends went. */
  readonly sends: ResponseOf<"TX_STAT">;
}

export interface ModuleStatus {
  readonly connection: ResponseOf<"GET_CONNECTION_STATUS">;
  /** 0 (out of service) to 5 (strongest). */
  readonly signal: number;
  /** The platform's: Unix ms. */
  readonly time: bigint;
  readonly product: number;
  readonly productName: Product;
  readonly uniqueId: string;
  readonly firmware: string;
  readonly queues: ModuleQueues;
}

/** See `SakuraModule.status`. */
export async function readStatus(module: ModuleMethods, options?: CommandOptions): Promise<ModuleStatus> {
  const product = await module.getProductId(options);
  return {
    connection: await module.getConnectionStatus(options),
    signal: await module.getSignalQuality(options),
    time: await module.getDatetime(options),
    product,
    productName: products.nameOf(product),
    uniqueId: await module.getUniqueId(options),
    firmware: await module.getFirmwareVersion(options),
    queues: await readQueues(module, options),
  };
}

/** See `SakuraModule.queues`. */
export async function readQueues(module: ModuleMethods, options?: CommandOptions): Promise<ModuleQueues> {
  return {
    tx: await module.txLength(options),
    rx: await module.rxLength(options),
    sends: await module.txStat(options),
  };
}
