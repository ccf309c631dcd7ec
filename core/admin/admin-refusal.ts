/** A plain condition that ends a call with `{"message": …}`: unknown paths, unreadable bodies, missing parents. */

export class AdminRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'AdminRefusal';
    this.status = status;
  }
}

export const notFound = (): AdminRefusal => new AdminRefusal(404, 'Not found');
export const methodNotAllowed = (): AdminRefusal => new AdminRefusal(405, 'Method not allowed');
export const unsupportedMediaType = (): AdminRefusal => new AdminRefusal(415, 'Unsupported media type');
export const unreadableJson = (): AdminRefusal => new AdminRefusal(400, 'Cannot parse JSON body');
