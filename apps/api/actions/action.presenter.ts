import { Injectable } from '@nestjs/common';
import type { ActionStepWire, ActionWire } from '#libs/contracts';
import { SagaStore } from '#libs/saga';
import type { Action } from '#libs/servers';
import { stepsOf, workflowSteps } from '#libs/workflows';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

@Injectable()
export class ActionPresenter {
  constructor(private readonly sagas: SagaStore) {}

  /** One action with the real steps of its workflow. */
  async presentWithSteps(action: Action): Promise<ActionWire> {
    return { ...presentAction(action), servery: { steps: await this.stepsOf(action) } };
  }

  private async stepsOf({ sagaId }: Action): Promise<ActionStepWire[]> {
    const saga = sagaId === null ? undefined : await this.sagas.find(sagaId);
    if (!saga) return [];
    const steps = stepsOf(workflowSteps(saga.name), saga, await this.sagas.log(saga.id));
    return steps.map((step) => ({
      ...step,
      started: wireTimeOrNull(step.started),
      finished: wireTimeOrNull(step.finished),
    }));
  }
}

export function presentAction(action: Action): ActionWire {
  const resources = [
    { id: action.serverId, type: 'server' },
    { id: action.imageId, type: 'image' },
    { id: action.exportId, type: 'export' },
    { id: action.rehearsalId, type: 'rehearsal' },
    { id: action.volumeId, type: 'volume' },
    { id: action.cookId, type: 'cook' },
  ];
  return {
    id: action.id,
    command: action.command,
    status: action.status,
    progress: action.progress,
    started: wireTime(action.startedAt),
    finished: wireTimeOrNull(action.finishedAt),
    resources: resources.flatMap(({ id, type }) => (id === null ? [] : [{ id, type }])),
    error:
      action.status === 'error'
        ? { code: action.errorCode ?? 'action_failed', message: action.errorMessage ?? 'Action failed' }
        : null,
  };
}
