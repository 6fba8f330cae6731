/** This machine, by its address and not by what anything is called. */

const HOST = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\])$/i;

/** Also in the brackets that a URL puts around it. */
export function isLoopbackHost(host: string): boolean {
  return HOST.test(host);
}

export function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}
