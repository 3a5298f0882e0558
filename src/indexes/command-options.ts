import { FEATURES, featureOf, isModel, MODELS } from '../database/tables.ts';
import { OperatorError } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';

/** The options that choose models, the same for every command about indexes. */
export const MODEL_OPTIONS = {
  model: { type: 'string', value: '<model>', description: `Only this model: ${MODELS.join(', ')}.` },
  app: {
    type: 'string',
    value: '<feature>',
    description: `Only the models of this feature, a folder of src:\n${FEATURES.join(', ')}.`,
  },
} as const;

export const JSON_OPTION = { json: { type: 'boolean', description: 'For programs.' } } as const;

/**
 * The models that `--model` and `--app` choose; all when neither is given.
 * @throws OperatorError for a name that does not exist, and for a model of another feature
 */
export function chosenModels({
  model,
  app,
}: {
  readonly model: string | undefined;
  readonly app: string | undefined;
}): Prisma.ModelName[] {
  if (model !== undefined && !isModel(model)) throw unknown('model', model, MODELS);
  if (app !== undefined && !FEATURES.includes(app)) throw unknown('app', app, FEATURES);
  const chosen = MODELS.filter((name) => (!model || name === model) && (!app || featureOf(name) === app));
  if (chosen.length) return chosen;
  throw new OperatorError(`The feature ${app} has no model ${model}.`, 'Give one of --model and --app alone.');
}

function unknown(option: string, name: string, known: readonly string[]): OperatorError {
  return new OperatorError(
    `--${option} must be one of ${known.join(', ')}, but got: "${name}".`,
    'Nothing was changed.',
  );
}
