export type { Guest } from './guest-program.ts';
export {
  cancelScript,
  clearScript,
  readScript,
  type ScriptRun,
  type ScriptState,
  sendScript,
  startScript,
  TIMED_OUT_CODES,
} from './guest-script.ts';
export { type GuestSurvey, lookAtBoot, parseSurvey, type SurveyedDisk, surveyGuest } from './guest-survey.ts';
export { lookAtOneshot, type OneshotState, parseOneshot } from './guest-unit.ts';
