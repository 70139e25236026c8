import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  byId,
  type SagaTryWire,
  type SagaWire,
  sagaListQuery,
  sagaListResponse,
  sagaResponse,
} from '#libs/contracts';
import { SagaQueue } from '#libs/queue';
import { type SagaErrorRecord, type SagaLogEntry, type SagaRecord, SagaStore } from '#libs/saga';
import { Endpoint } from '../http/endpoint.ts';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

type ById = z.output<typeof byId>;

@Controller('v1/sagas')
export class SagasController {
  constructor(
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
  ) {}

  @Get()
  @Endpoint({ summary: 'The newest long operations', access: 'operator', response: sagaListResponse })
  async list(@Query({ schema: sagaListQuery }) { state }: z.output<typeof sagaListQuery>) {
    const sagas = await this.sagas.list(state ? { states: state } : {});
    return { sagas: sagas.map(presentSaga) };
  }

  @Get(':id')
  @Endpoint({
    summary: 'A long operation with every try of every step',
    access: 'operator',
    response: sagaResponse,
  })
  async get(@Param({ schema: byId }) { id }: ById) {
    return { saga: await this.withLog(id) };
  }

  @Post(':id/actions/resume')
  @Endpoint({
    summary: 'Let a stuck operation try again at once',
    audit: 'saga.resume',
    access: 'operator',
    response: sagaResponse,
  })
  async resume(@Param({ schema: byId }) { id }: ById) {
    await this.queue.poke(await this.sagas.resume(id));
    return { saga: await this.withLog(id) };
  }

  private async withLog(id: number) {
    const saga = await this.sagas.get(id);
    return { ...presentSaga(saga), log: (await this.sagas.log(id)).map(presentTry) };
  }
}

function presentSaga(saga: SagaRecord): SagaWire {
  return {
    id: saga.id,
    name: saga.name,
    state: saga.state,
    direction: saga.direction,
    step: saga.step,
    tries: saga.tries,
    subject: saga.subject && { type: saga.subject.type, id: saga.subject.id },
    action_id: saga.actionId,
    error: presentError(saga.error),
    wake_at: wireTime(saga.wakeAt),
    created: wireTime(saga.createdAt),
    updated: wireTime(saga.updatedAt),
    finished: wireTimeOrNull(saga.finishedAt),
  };
}

function presentTry(entry: SagaLogEntry): SagaTryWire {
  return {
    step: entry.step,
    direction: entry.direction,
    try: entry.try,
    outcome: entry.outcome,
    error: presentError(entry.error),
    duration_seconds: entry.durationMilliseconds / 1000,
    worker: entry.worker,
    at: wireTime(entry.at),
  };
}

function presentError(error: SagaErrorRecord | null): SagaWire['error'] {
  return error && { code: error.code, message: error.message };
}
