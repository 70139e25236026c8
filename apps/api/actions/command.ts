import { actionResponse } from '#libs/contracts';
import type { Action } from '#libs/servers';
import type { EndpointOptions } from '../http/endpoint.ts';
import { presentAction } from './action.presenter.ts';

/** A command that is answered with the action that carries it out. */
export function command(audit: `${'server' | 'volume'}.${string}`, summary: string): EndpointOptions {
  return { summary, access: 'write', response: actionResponse, status: 201, idempotent: true, audit };
}

export function started(action: Action) {
  return { action: presentAction(action) };
}
