/** From a schema to the type of the values it lets through. */
import type { FieldDefinition, FieldMap } from './fields.ts';

/**
 * The configuration a plugin's handler gets. A field that is required or has a default is never null;
 * any other is `T | null`.
 */
export type InferConfig<Schema> = Schema extends { readonly fields: infer Fields }
  ? InferRecord<Fields>
  : never;

type InferRecord<Fields> = Fields extends FieldMap
  ? string extends keyof Fields
    ? Readonly<Record<string, unknown>>
    : { readonly [Name in keyof Fields]: InferField<Fields[Name]> }
  : never;

/** The value of one field of a record. */
export type InferField<Field> = IsFilled<Field> extends true ? InferValue<Field> : InferValue<Field> | null;

type IsFilled<Field> = Field extends { readonly required: true }
  ? true
  : Field extends { readonly default: infer Default }
    ? [Default] extends [null | undefined]
      ? false
      : true
    : false;

type InferValue<Field> = [FieldDefinition] extends [Field]
  ? unknown
  : Field extends { readonly type: 'string' }
    ? InferScalar<Field, string>
    : Field extends { readonly type: 'number' | 'integer' }
      ? InferScalar<Field, number>
      : Field extends { readonly type: 'boolean' }
        ? boolean
        : Field extends { readonly type: 'array' | 'set'; readonly elements: infer Elements }
          ? readonly InferValue<Elements>[]
          : Field extends { readonly type: 'map'; readonly values: infer Values }
            ? Readonly<Record<string, InferValue<Values>>>
            : Field extends { readonly type: 'record' }
              ? InferConfig<Field>
              : Field extends { readonly type: 'foreign' }
                ? { readonly id: string }
                : never;

type InferScalar<Field, Wide> = Field extends { readonly one_of: readonly (infer Choice)[] }
  ? Choice & Wide
  : Wide;
