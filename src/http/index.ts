/** The public face of the window: open it, and the token that opens its guarded routes. */
export type { Desk, DeskEvent, QuoteAnswer, QuoteRequest } from "./desk.js";
export { type HttpOptions, type HttpServer, ListenError, startHttp } from "./server.js";
export { bearerToken, openToken, sameToken, TokenFileError, unknownToken } from "./token.js";
