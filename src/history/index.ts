export { explainPort, type History, type HistoryInput } from './explain';
export { openReleases } from './releases';
export { workItemsOf } from './work-items';
