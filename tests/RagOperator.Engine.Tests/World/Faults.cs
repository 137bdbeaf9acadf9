using RagOperator.Engine.Contracts;

namespace RagOperator.Engine.Tests.World;

/// <summary>What may go wrong with one write.</summary>
internal enum Fault
{
    None,

    /// <summary>The process dies before it is sent.</summary>
    CrashBefore,

    /// <summary>The process dies after it was accepted.</summary>
    CrashAfter,

    /// <summary>It was accepted, and the answer is lost.</summary>
    AnswerLost,

    /// <summary>The API server fails; nothing was changed.</summary>
    Refused,

    /// <summary>Only of status: somebody else wrote meanwhile.</summary>
    Conflict,
}

/// <summary>Chooses the fault of each write; a null write is the status.</summary>
internal delegate Fault FaultPlan(Write? write);
