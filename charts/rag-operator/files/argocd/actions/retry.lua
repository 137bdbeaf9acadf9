-- Tries the release that was taken back again, from the first step.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ragoperator.dev/request"] = "retry/" .. obj.status.failedRevision
return obj
