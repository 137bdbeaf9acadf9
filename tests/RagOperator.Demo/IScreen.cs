namespace RagOperator.Demo;

/// <summary>Where the demo is shown.</summary>
internal interface IScreen
{
    /// <summary>What happens before the first act.</summary>
    void Say(string text);

    /// <summary>An act begins.</summary>
    /// <param name="act">Which.</param>
    /// <param name="count">Of how many.</param>
    /// <param name="command">What the user types; null for nothing.</param>
    /// <param name="changes">What that changes in the object.</param>
    void Begin(Act act, int count, string? command, IReadOnlyList<(char Sign, string Line)> changes);

    /// <summary>How things stand.</summary>
    /// <param name="moment">The newest look.</param>
    /// <param name="told">What is new in it.</param>
    void Show(Moment moment, IReadOnlyList<string> told);

    /// <summary>Something that the demo itself saw or did.</summary>
    void Note(string text);

    /// <summary>An act has ended.</summary>
    void End(ActResult result);
}
