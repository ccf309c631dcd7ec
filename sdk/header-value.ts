/** What a header can be set to: a list stands for the same name several times. */
export type HeaderValue = string | number | boolean | readonly string[];

/** Headers by name. */
export type HeaderMap = Readonly<Record<string, HeaderValue>>;
