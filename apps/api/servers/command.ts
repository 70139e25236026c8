import { actionResponse } from '#libs/contracts';
import type { Action } from '#libs/servers';
import { presentAction } from '../actions/action.presenter.ts';
import type { EndpointOptions } from '../http/endpoint.ts';

/** A command that is answered with the action that carries it out. */
export function command(audit: `server.${string}`, summary: string): EndpointOptions {
  return { summary, access: 'write', response: actionResponse, status: 201, idempotent: true, audit };
}

export function started(action: Action) {
  return { action: presentAction(action) };
}
