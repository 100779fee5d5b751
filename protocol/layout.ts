/**
 * What a codec's bytes are, as plain data: for whoever writes the same command in another language. Nothing here is
 * looked at while frames are encoded and decoded.
 */

/** The numbers that have a name, under the name of what they say: `power-save mode`. */
export interface NamedNumbers {
  readonly label: string;
  readonly values: Readonly<Record<string, number>>;
}

/** One value in its bytes. `name` is empty where the command's own name says it all. */
export type FieldLayout =
  /** Little-endian. */
  | { readonly kind: "unsigned"; readonly bits: 8 | 16 | 32 | 64; readonly name: string }
  /** One byte whose numbers have names. */
  | { readonly kind: "named"; readonly name: string; readonly names: NamedNumbers }
  /** One byte: bit 7 says whether, and `mask` cuts out a number that has a name. */
  | {
      readonly kind: "flag";
      readonly flag: string;
      readonly name: string;
      readonly mask: number;
      readonly names: NamedNumbers;
    };

export type Layout =
  | { readonly kind: "none" }
  | { readonly kind: "fields"; readonly fields: readonly FieldLayout[] }
  /** ASCII that fills the rest of the payload. */
  | { readonly kind: "ascii"; readonly name: string; readonly min: number; readonly max: number }
  /** Any bytes that fill the rest of the payload. */
  | { readonly kind: "bytes"; readonly name: string; readonly min: number; readonly max: number }
  | { readonly kind: "literal"; readonly bytes: readonly number[] }
  /** 1 to `max` channel values of ten bytes each (§2, Channel values), then one i64 offset in ms, always or at will. */
  | { readonly kind: "entries"; readonly max: number; readonly offset: "optional" | "always" };

/** A payload of one field. */
export function oneField(field: FieldLayout): Layout {
  return { kind: "fields", fields: [field] };
}

/**
 * The fields of a struct, under the names that it gives them.
 * @throws Error for a member that is not one field: a row of the command table that cannot be is a bug of that row
 */
export function fieldsOf(members: readonly (readonly [name: string, layout: Layout])[]): Layout {
  return {
    kind: "fields",
    fields: members.map(([name, layout]) => {
      const field = layout.kind === "fields" && layout.fields.length === 1 ? layout.fields[0] : undefined;
      if (!field) throw new Error(`the member ${name} of a struct is one field of fixed size`);
      return { ...field, name };
    }),
  };
}
