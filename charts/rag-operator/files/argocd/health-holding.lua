-- Argo CD's health of a RagDeployment, for those who do not want a rollout of weeks to hold a sync open: a step whose weight is verified and
-- whose hold runs counts as Healthy, so that a sync ends with the first hold. PostSync hooks and later waves then run while most requests may
-- still go to the release before. All else is as in health.lua. A hold whose clock stands (no data, a metric beyond its limit or that cannot be
-- judged, a weight that the gateway does not confirm) has no holdUntil, and is Progressing.
-- Lua 5.1 (gopher-lua), without the string library: Argo CD opens base and table only.
local health = {}
local status = obj.status
if status == nil or status.phase == nil or tonumber(status.observedGeneration) ~= tonumber(obj.metadata.generation) then
  health.status = "Progressing"
  health.message = "Waiting for the operator to see this generation"
  return health
end
local holding = status.canaryRevision ~= nil and status.stableRevision ~= nil and status.step ~= nil and status.step.state == "Holding" and status.step.holdUntil ~= nil
if status.phase == "Healthy" or status.phase == "Suspended" or status.phase == "Degraded" then
  health.status = status.phase
elseif status.phase == "Progressing" and holding then
  health.status = "Healthy"
else
  health.status = "Progressing"
end
health.message = status.message
return health
